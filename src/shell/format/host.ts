import { printableCut } from '../../core/text.ts'
import { destinationLabel } from '../../services/queue-control.ts'
import type { HostRow } from '../../services/queue-control.ts'
import { hardBounces } from '../../services/host-statistics.ts'
import type { HostFigures } from '../../services/host-statistics.ts'

/** Up or down as of the last attempt. */
export const hostState = (figures: HostFigures | null): 'up' | 'down' | 'unknown' =>
  figures?.up === true ? 'up' : figures?.up === false ? 'down' : 'unknown'

const WIDTHS = [6, 8, 9, 9, 9] as const

/** Above the rows of `tophosts`. */
export const HOST_HEAD: readonly string[] = [
  '                               Active   Conn.   Deliv.    Soft     Hard',
  '#    Recipient Host            Recip.    Out    Recip.   Bounced  Bounced',
]

const cells = (values: readonly number[]): string =>
  values.map((value, i) => String(value).padStart(WIDTHS[i] ?? 9)).join('')

/** A long name moves the columns of its row rather than being cut. */
export const hostRow = ({ destination, recipients, figures }: HostRow, i: number): string => {
  const name = `${printableCut(destinationLabel(destination), 100)}${hostState(figures) === 'down' ? '*' : ''}`
  return (
    `${String(i + 1).padEnd(5)}${`${name} `.padEnd(24)}` +
    cells([
      recipients,
      figures?.connectionsOut ?? 0,
      figures?.delivered ?? 0,
      figures?.softBounced ?? 0,
      figures ? hardBounces(figures) : 0,
    ])
  )
}
