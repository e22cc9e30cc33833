import type { Env } from '../../core/env.ts'
import type { Diagnostics } from '../../services/diagnostics.ts'
import { dnsQuery } from './dns-query.ts'
import { procNetwork } from './proc-net.ts'
import type { ProcFolders } from './proc-net.ts'
import { systemPrograms } from './programs.ts'
import { smtpProbe } from './smtp-probe.ts'

/** Where a test has its own machine. */
export interface DiagnosticsOptions {
  readonly programs?: readonly string[]
  readonly folders?: ProcFolders
  readonly dnsPort?: number
  readonly authorities?: readonly string[]
}

export const createDiagnostics = (env: Pick<Env, 'entropy'>, options: DiagnosticsOptions = {}): Diagnostics => ({
  run: systemPrograms(options.programs),
  dig: dnsQuery(env, options.dnsPort === undefined ? {} : { port: options.dnsPort }),
  machine: procNetwork(options.folders),
  smtp: smtpProbe(options.authorities),
})
