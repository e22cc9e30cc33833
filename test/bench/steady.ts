import { connect } from 'node:net'
import { until } from '../support/processes.ts'
import type { Lychgate } from './contenders.ts'
import type { Source } from './load.ts'
import { table } from './measure.ts'
import { residentMb } from './usage.ts'

export interface Steady {
  readonly messages: number
  readonly seconds: number
  /** Messages a second of the run at half load. */
  readonly perSecond: number
}

const CLIENTS = 20
const CHUNK = 10_000
const AFTER_MS = 10_000

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN

/** One client that sends a message whenever it is told; resolves with the milliseconds from the final dot to its answer. */
const client = async (port: number, text: string) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let heard = ''
  let wake = (): void => undefined
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    heard += chunk
    wake()
  })
  socket.on('error', () => wake()).on('close', () => wake())
  const answer = async (): Promise<void> => {
    for (;;) {
      const [line] = /^(?:\d{3}-[^\r]*\r\n)*\d{3} [^\r]*\r\n/.exec(heard) ?? []
      if (line !== undefined) {
        heard = heard.slice(line.length)
        if (/^[45]/.test(line)) throw new Error(`the gateway answered ${line}`)
        return
      }
      if (socket.destroyed) throw new Error('the gateway hung up')
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const say = async (line: string): Promise<void> => {
    socket.write(`${line}\r\n`)
    await answer()
  }
  await answer()
  await say('EHLO client.example.org')
  return {
    send: async (): Promise<number> => {
      await say('MAIL FROM:<sender@example.org>')
      await say('RCPT TO:<user@example.net>')
      await say('DATA')
      socket.write(text)
      const start = performance.now()
      await say('.')
      return performance.now() - start
    },
    end: () => socket.end('QUIT\r\n'),
  }
}

/** Messages at a steady rate, spread over the clients; a late one is sent at once. */
const halfLoad = async (port: number, text: string, perSecond: number, seconds: number): Promise<readonly number[]> => {
  const times: number[] = []
  const start = performance.now()
  const one = async (index: number): Promise<void> => {
    const own = await client(port, text)
    const every = (1000 * CLIENTS) / perSecond
    for (let at = (index * every) / CLIENTS; at < seconds * 1000; at += every) {
      const wait = start + at - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      times.push(await own.send())
    }
    own.end()
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, i) => one(i)))
  return times
}

/** The gateway's manners over time: answers at half load, its event loop, its memory during and after a long run. */
export const steady = async (source: Source, gateway: Lychgate, plan: Steady): Promise<string> => {
  const finished = (): number => gateway.finished?.() ?? 0
  const text = source.text.replaceAll('\n', '\r\n')
  await gateway.loopDelay()
  const before = finished()
  const times = await halfLoad(gateway.port, text, plan.perSecond, plan.seconds)
  await until('half load has been delivered', () => finished() - before >= times.length, 120_000)
  const half = await gateway.loopDelay()

  const rested = residentMb(gateway.pid)
  let most = rested
  const watch = setInterval(() => (most = Math.max(most, residentMb(gateway.pid))), 200)
  const start = finished()
  try {
    for (let sent = 0; sent < plan.messages; sent += CHUNK)
      await source.send(gateway.port, Math.min(CHUNK, plan.messages - sent), { sessions: 50, reuse: true })
    await until('the long run has been delivered', () => finished() - start >= plan.messages, 600_000)
  } finally {
    clearInterval(watch)
  }
  const full = await gateway.loopDelay()
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS))
  const ms = (n: number): string => `${n.toFixed(1)} ms`
  const mb = (n: number): string => `${n.toFixed(0)} MB`
  return table(
    ['Lychgate, scanned and relayed', ''],
    [
      [
        `answer to the final dot at half load (${plan.perSecond.toFixed(0)} a second, ${times.length} messages), median, p99`,
        `${ms(quantile(times, 0.5))}, ${ms(quantile(times, 0.99))}`,
      ],
      ['event loop of the main thread late at half load, p99, most', `${ms(half.p99Ms)}, ${ms(half.maxMs)}`],
      [`the same in a run of ${plan.messages} messages as fast as they go`, `${ms(full.p99Ms)}, ${ms(full.maxMs)}`],
      [
        'resident memory before that run, at most in it, and 10 s after it',
        `${mb(rested)}, ${mb(most)}, ${mb(residentMb(gateway.pid))}`,
      ],
    ],
  )
}
