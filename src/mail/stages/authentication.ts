import { listeners } from '../../config/sections/listeners.ts'
import { system } from '../../config/sections/system.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import { authenticationResults } from '../auth/results-header.ts'
import type { Edit, Stage } from '../pipeline/stage.ts'
import { flowOfMessage } from '../smtp/host-access.ts'

const FIELD = 'Authentication-Results'

/** SPF, DKIM and DMARC of incoming mail, each where the mail-flow policy asks for it. Results that claim to be ours are taken out first (RFC 8601 §5). */
export const authenticationStage = (authenticator: Authenticator): Stage => ({
  name: 'authentication',
  enabled: (message) => message.entry.direction === 'incoming',
  process: async (message, ctx) => {
    const { hostname } = ctx.config.get(system)
    const flow = flowOfMessage(ctx.config.get(listeners), message.entry)
    const checks = flow ?? { spf: true, dkim: true, dmarc: true }
    const found = await authenticator.authenticate(message.entry, message.raw, hostname, ctx.signal, checks)
    const forged = message.parsed.headers.some((h) => h.name.toLowerCase() === FIELD.toLowerCase())
    const strip: readonly Edit[] = forged ? [{ kind: 'header.strip', name: FIELD, identifiedBy: hostname }] : []
    return {
      next: 'continue',
      findings: { spf: found.spf, dkim: found.dkim, dmarc: found.dmarc },
      edits: strip,
      ...(found.results.length === 0 ? {} : { trace: authenticationResults(hostname, found.results) }),
    }
  },
})
