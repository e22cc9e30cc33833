import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SenderLevel } from '../../../src/events/levels.ts'
import type { SdrResult } from '../../../src/intel/sdr/port.ts'
import { openPipeline } from '../../support/pipeline.ts'
import { root } from '../../support/root.ts'

/**
 * `fixtures/verdicts/<stage>/*.case`: `filter NAME: …`, `sdr LEVEL [DAYS]`, `url URL SCORE`, then `expect …` lines,
 * an empty line, and the message.
 */
const folder = join(root, 'fixtures/verdicts')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.case'))
  .sort()

const sdrOf = (value: string): SdrResult => {
  const [level = '', days] = value.split(' ')
  if (level === 'unscanned') return { kind: 'unscanned', reason: 'Service Temporarily Unavailable.' }
  const ageDays = days === undefined ? null : Number(days)
  const verdict = { level: level as SenderLevel, category: null, suspected: [], ageDays, ageDomain: null, because: [] }
  return { kind: 'verdict', verdict }
}

const readCase = (text: string) => {
  const end = text.indexOf('\n\n')
  const lines = text
    .slice(0, end)
    .split('\n')
    .filter((l) => !l.startsWith('#'))
  const of = (key: string): string[] => lines.flatMap((l) => (l.startsWith(`${key} `) ? [l.slice(key.length + 1)] : []))
  return { of, message: Buffer.from(text.slice(end + 2).replaceAll('\n', '\r\n')) }
}

const expectation = /^(no-log|log|no-body|body|quarantined|no|queued|dropped)(?: (.*))?$/

describe('verdict cases', () => {
  it.each(files)('%s', async (name) => {
    const { of, message } = readCase(readFileSync(join(folder, name), 'utf8'))
    const filters = of('filter').map((text) => {
      const colon = text.indexOf(':')
      return { name: text.slice(0, colon), script: text.slice(colon + 1).trim() }
    })
    const scores = Object.fromEntries(of('url').map((u) => [u.split(' ')[0] ?? '', Number(u.split(' ')[1])]))
    const sdr = of('sdr').map(sdrOf)[0]
    const p = await openPipeline({ filters, scores, ...(sdr ? { sdr } : {}) })
    try {
      const mid = await p.run({ body: message })
      const last = p.of('message.rewritten')[0]?.into ?? mid
      const state = p.spool.state(last)
      const body = state ? (await p.spool.body(last)).toString() : ''
      const logs = p.of('filter.log-entry').map((e) => e.text)
      expect(of('expect')).not.toEqual([])
      for (const line of of('expect')) {
        const [, what = line, value = ''] = expectation.exec(line) ?? []
        if (what === 'log') expect(logs).toContain(value)
        else if (what === 'no-log') expect(logs).not.toContain(value)
        else if (what === 'body') expect(body).toContain(value)
        else if (what === 'no-body') expect(body).not.toContain(value)
        else if (what === 'queued') expect(state?.kind).toBe('queued')
        else if (what === 'dropped') expect(state).toBeUndefined()
        else if (what === 'quarantined') expect(state).toMatchObject({ kind: 'quarantined', quarantine: value })
        else if (what === 'no') expect(p.types()).not.toContain(value)
        else expect(p.types()).toContain(line)
      }
    } finally {
      await p.dispose()
    }
  })
})
