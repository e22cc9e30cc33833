import * as v from 'valibot'
import { defineSection } from '../section.ts'

export const ALERT_CLASSES = [
  'System',
  'Hardware',
  'Updater',
  'URL Retrospection',
  'Remediation',
  'Intelligence',
] as const
export type AlertClass = (typeof ALERT_CLASSES)[number]
export const ALERT_SEVERITIES = ['Critical', 'Warning', 'Information'] as const
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number]

/** `alertconfig`. */
export const alerts = defineSection({
  name: 'alerts',
  version: 1,
  schema: v.object({
    recipients: v.array(
      v.object({
        address: v.string(),
        /** Empty = all. */
        classes: v.array(v.picklist(ALERT_CLASSES)),
        severities: v.array(v.picklist(ALERT_SEVERITIES)),
      }),
    ),
    /** Header From of alert mail; null = `alert@<hostname>`. */
    from: v.nullable(v.string()),
    /** A duplicate within this many seconds is not mailed again; doubles up to `maximumSeconds`. */
    initialSeconds: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400)),
    maximumSeconds: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(604_800)),
    /** How many alerts `displayalerts` can show. */
    kept: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
  }),
  defaults: { recipients: [], from: null, initialSeconds: 300, maximumSeconds: 3600, kept: 50 },
})
