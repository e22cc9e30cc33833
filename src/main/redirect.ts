import { join } from 'node:path'
import { certificateFile } from '../adapters/crypto/certificate.ts'
import { startRedirectServer } from '../adapters/http/redirect-server.ts'
import type { RedirectServer } from '../adapters/http/redirect-server.ts'
import { certificates } from '../config/sections/certificates.ts'
import { redirect } from '../config/sections/redirect.ts'
import type { RedirectSettings } from '../config/sections/redirect.ts'
import type { ConfigConsumer, ConfigReader } from '../config/section.ts'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { UrlReputation } from '../intel/lookup.ts'
import { createRedirectClicks } from '../services/redirect-clicks.ts'
import type { Supervised } from '../services/supervisor.ts'

export interface RedirectService extends Supervised {
  readonly consumer: ConfigConsumer<RedirectSettings>
  /** A profile that is renewed is taken up. */
  readonly certificates: ConfigConsumer<(typeof certificates)['defaults']>
}

const LISTENER = 'Redirect'
const GRACE_MS = 1000

/** The redirect service of an appliance: follows its section without a restart of anything else. */
export const createRedirectService = (deps: {
  readonly env: Env
  readonly events: EventBus
  readonly config: ConfigReader
  readonly reputation: UrlReputation
  /** Where its own certificate lies. */
  readonly keys: string
}): RedirectService => {
  const { events } = deps
  const answer = createRedirectClicks(deps)
  let started = false
  let server: RedirectServer | null = null

  /** What the service that runs was opened with. */
  let opened = ''

  const profileOf = (config: ConfigReader) =>
    config.get(certificates).profiles.find((p) => p.name === config.get(redirect).certificate)

  const pair = async (config: ConfigReader): Promise<{ readonly cert: string; readonly key: string } | null> => {
    const settings = config.get(redirect)
    if (!settings.tls) return null
    const profile = profileOf(config)
    if (profile) return { cert: profile.certificate, key: profile.privateKey }
    const host = settings.baseUrl === null ? 'localhost' : new URL(settings.baseUrl).hostname
    return await certificateFile(
      join(deps.keys, `redirect-${host.replaceAll(/[^a-z0-9.-]/gi, '_')}.pem`),
      [host],
      deps.env,
    )
  }

  /** What cannot be bound is told and left: it must not keep the mail from running. */
  const open = async (config: ConfigReader): Promise<void> => {
    const settings = config.get(redirect)
    try {
      server = await startRedirectServer({ ...settings, answer, tls: await pair(config) })
      events.publish({ type: 'system.listening', listener: LISTENER, address: server.address, port: server.port })
    } catch (error) {
      const where = `${settings.address} port ${settings.port}`
      const text = `The redirect service cannot listen on ${where}: ${errorText(error)}. Change it with redirectconfig.`
      events.publish({ type: 'system.warning', text })
    }
  }

  const shut = async (graceMs: number): Promise<void> => {
    const old = server
    server = null
    if (old === null) return
    await old.stop(graceMs)
    events.publish({ type: 'system.listener-closed', listener: LISTENER })
  }

  const follow = async (config: ConfigReader): Promise<void> => {
    const settings = config.get(redirect)
    const wanted = settings.enabled ? JSON.stringify([settings, profileOf(config) ?? null]) : ''
    if (!started || wanted === opened) return
    opened = wanted
    await shut(GRACE_MS)
    if (settings.enabled) await open(config)
  }

  return {
    name: 'redirect',
    start: async (config) => {
      started = true
      await follow(config)
    },
    stop: async (graceMs) => {
      started = false
      opened = ''
      await shut(graceMs)
    },
    consumer: { section: redirect, apply: (_next, _previous, whole) => follow(whole) },
    certificates: { section: certificates, apply: (_next, _previous, whole) => follow(whole) },
  }
}
