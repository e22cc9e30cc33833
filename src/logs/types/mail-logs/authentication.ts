import type { AuthenticationEvent } from '../../../events/authentication.ts'
import type { EventOf } from '../../../events/event.ts'
import { info, line, to, toMailLogs } from '../../line.ts'
import type { LogTable } from '../../line.ts'

const signature = (e: EventOf<'auth.dkim'>): string =>
  e.domain === null ? '' : line` (d=${e.domain} s=${e.selector ?? ''} i=${e.identity ?? `@${e.domain}`})`

const python = (value: boolean): string => (value ? 'True' : 'False')

/** SPF, DKIM and DMARC lines. */
export const authenticationLines: LogTable<AuthenticationEvent['type']> = {
  'auth.spf': [
    to('mail_logs', (e) =>
      e.fromCache ? info(line`MID ${e.mid} using engine: SPF Verdict Cache using cached verdict`) : null,
    ),
    to('mail_logs', (e) =>
      info(
        line`MID ${e.mid} SPF: ${e.identity} identity ${e.address} ${e.result}` + (e.recordFound ? ' (v=spf1)' : ''),
      ),
    ),
  ],
  'auth.spf-cache': toMailLogs((e) =>
    info(
      line`SPF Verdict Cache cache status: hits = ${e.hits}, misses = ${e.misses}, expires = ${e.expires}, adds = ${e.adds}, ` +
        line`seconds saved = ${e.secondsSaved.toFixed(2)}, total seconds = ${e.totalSeconds.toFixed(2)}`,
    ),
  ),
  'auth.dkim': toMailLogs((e) => {
    if (e.result === 'none') return null
    const words = e.result === 'malformed' ? 'malformed signature -' : e.result
    const detail = e.detail === '' && e.result === 'pass' ? 'signature verified' : e.detail
    return info(line`MID ${e.mid} DKIM: ${words} ${detail}` + signature(e))
  }),
  'auth.dmarc': [
    to('mail_logs', (e) =>
      e.outcome === 'skipped'
        ? info(line`MID ${e.mid} DMARC: Verification skipped (${e.reason})`)
        : info(
            line`MID ${e.mid} DMARC: Message from domain ${e.domain}, DMARC ${e.outcome === 'passed' ? 'pass' : 'fail'} ` +
              line`(SPF aligned ${python(e.spfAligned)}, DKIM aligned ${python(e.dkimAligned)})`,
          ),
    ),
    to('mail_logs', (e) =>
      e.outcome === 'skipped' ? null : info(line`MID ${e.mid} DMARC: Verification ${e.outcome}`),
    ),
  ],
}
