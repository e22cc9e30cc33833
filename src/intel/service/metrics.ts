import type { Clock } from '../../core/clock.ts'
import type { IntelSourceStatus } from '../lookup.ts'

/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5] as const

export interface ServiceFigures {
  readonly devices: number
  readonly waitingChanges: number
  readonly partitions: number
  readonly sources: readonly IntelSourceStatus[]
}

/** Counts of the service in Prometheus' text format (version 0.0.4). */
export interface ServiceMetrics {
  answered(operation: string, status: number, seconds: number): void
  text(figures: ServiceFigures): string
}

const label = (value: string): string => value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))

export const createServiceMetrics = (clock: Clock): ServiceMetrics => {
  const requests = new Map<string, number>()
  const times = new Map<string, { readonly buckets: number[]; sum: number; count: number }>()
  const family = (name: string, type: string, help: string, lines: readonly string[]): readonly string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...lines,
  ]
  const gauge = (name: string, help: string, value: number): readonly string[] =>
    family(name, 'gauge', help, [`${name} ${value}`])
  return {
    answered: (operation, status, seconds) => {
      const key = `operation="${operation}",status="${status}"`
      requests.set(key, (requests.get(key) ?? 0) + 1)
      const time = times.get(operation) ?? { buckets: BUCKETS.map(() => 0), sum: 0, count: 0 }
      times.set(operation, time)
      time.sum += seconds
      time.count++
      BUCKETS.forEach((bound, i) => {
        if (seconds <= bound) time.buckets[i] = (time.buckets[i] ?? 0) + 1
      })
    },
    text: ({ devices, waitingChanges, partitions, sources }) => {
      const seconds = 'lychgate_intel_request_seconds'
      const bySource = (
        name: string,
        help: string,
        value: (s: IntelSourceStatus) => number | null,
      ): readonly string[] =>
        family(
          name,
          'gauge',
          help,
          sources.flatMap((s) => {
            const v = value(s)
            return v === null ? [] : [`${name}{source="${label(s.name)}"} ${v}`]
          }),
        )
      return [
        ...family(
          'lychgate_intel_requests_total',
          'counter',
          'Requests answered.',
          [...requests].map(([key, n]) => `lychgate_intel_requests_total{${key}} ${n}`),
        ),
        ...family(
          seconds,
          'histogram',
          'Time to answer.',
          [...times].flatMap(([operation, t]) => [
            ...BUCKETS.map((b, i) => `${seconds}_bucket{operation="${operation}",le="${b}"} ${t.buckets[i] ?? 0}`),
            `${seconds}_bucket{operation="${operation}",le="+Inf"} ${t.count}`,
            `${seconds}_sum{operation="${operation}"} ${t.sum}`,
            `${seconds}_count{operation="${operation}"} ${t.count}`,
          ]),
        ),
        ...gauge('lychgate_intel_devices', 'Enrolled devices.', devices),
        ...gauge(
          'lychgate_intel_waiting_changes',
          'Changed keys under which URLs are still to be judged.',
          waitingChanges,
        ),
        ...gauge('lychgate_intel_observed_partitions', 'Partitions of six hours of watched URLs.', partitions),
        ...bySource('lychgate_intel_source_indicators', 'Indicators of a source.', (s) => s.indicators),
        ...bySource('lychgate_intel_source_age_seconds', 'Time since a source was found current.', (s) => {
          const at = s.checkedAt ?? s.loadedAt
          return at === null ? null : Math.max(0, Math.round((clock.now().getTime() - at.getTime()) / 1000))
        }),
        ...bySource('lychgate_intel_source_healthy', '1 when the last load found nothing wrong.', (s) =>
          s.error === null ? 1 : 0,
        ),
        '',
      ].join('\n')
    },
  }
}
