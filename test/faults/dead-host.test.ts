import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { workerWriter } from '../../src/adapters/sqlite/database.ts'
import { delivery } from '../../src/config/sections/delivery.ts'
import { smtpRoutes } from '../../src/config/sections/smtp-routes.ts'
import { mailPath } from '../support/mail-path.ts'
import type { MailPath } from '../support/mail-path.ts'
import { freePort } from '../support/ports.ts'
import { recordingHop } from '../support/recording-hop.ts'
import type { RecordingHop } from '../support/recording-hop.ts'
import { newEntry } from '../support/spool.ts'

const NIGHTLY = process.env['LYCHGATE_NIGHTLY'] !== undefined
const DEAD = NIGHTLY ? 100_000 : 5000
const LIVE = NIGHTLY ? 600 : 300
const ROUNDS = NIGHTLY ? 5 : 3
/** Accepted together: one commit for many. */
const TOGETHER = 500

/** Two appliances that differ in what waits: one has only live mail, the other dead mail too. Rounds take turns. */
describe(`${DEAD} messages for dead hosts`, () => {
  let hop: RecordingHop
  let silent: Server
  const sockets = new Set<Socket>()
  let arrived = 0
  let paths: { readonly idle: MailPath; readonly burdened: MailPath }

  const open = async (): Promise<MailPath> => {
    const path = await mailPath({ newWriter: workerWriter, keepConnectionMs: 2000 })
    path.config.set(smtpRoutes, [
      { domain: 'live.example.net', hosts: [`127.0.0.1:${hop.port}`] },
      { domain: 'refused.example.net', hosts: [`127.0.0.1:${await freePort()}`] },
      { domain: 'silent.example.net', hosts: [`127.0.0.1:${(silent.address() as AddressInfo).port}`] },
    ])
    // Dead hosts are tried again and again while the live one is served.
    path.config.set(delivery, { ...path.config.get(delivery), initialRetrySeconds: 1, maxRetrySeconds: 1 })
    return path
  }
  const put = async (path: MailPath, count: number, domain: (n: number) => string): Promise<readonly number[]> => {
    const mids: number[] = []
    for (let from = 0; from < count; from += TOGETHER) {
      const some = Array.from({ length: Math.min(TOGETHER, count - from) }, (_, i) => {
        const mid = path.counters.next('mid')
        mids.push(mid)
        return newEntry(mid, {
          state: { kind: 'queued' },
          recipients: [{ rid: 0, address: `user${from + i}@${domain(from + i)}` }],
          body: Buffer.from(`Message-ID: <${mid}@sender.example>\r\nSubject: ${mid}\r\n\r\n${'x'.repeat(2000)}\r\n`),
          receivedAt: new Date(),
        })
      })
      await Promise.all(some.map((entry) => path.spool.accept(entry)))
    }
    return mids
  }
  /** Live messages delivered in a second. */
  const round = async (path: MailPath): Promise<number> => {
    const mids = await put(path, LIVE, () => 'live.example.net')
    arrived = 0
    path.queue.hold.retry(null)
    const start = performance.now()
    for (const mid of mids) path.queue.notify(mid)
    while (arrived < LIVE) await new Promise((resolve) => setTimeout(resolve, 2))
    return LIVE / ((performance.now() - start) / 1000)
  }

  beforeAll(async () => {
    hop = await recordingHop(() => void arrived++)
    silent = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    paths = { idle: await open(), burdened: await open() }
    const dead = (n: number): string => (n % 2 === 0 ? 'refused.example.net' : 'silent.example.net')
    await put(paths.burdened, DEAD, dead)
    for (const path of Object.values(paths)) await path.queue.start(path.config, new AbortController().signal)
  }, 600_000)
  afterAll(async () => {
    for (const path of Object.values(paths)) await path.stop()
    for (const socket of sockets) socket.destroy()
    silent.close()
    await hop.close()
  }, 60_000)

  it('leave a live host at least 80 % of its rate', async () => {
    await round(paths.idle)
    await round(paths.burdened)
    const idle: number[] = []
    const burdened: number[] = []
    for (let n = 0; n < ROUNDS; n++) {
      idle.push(await round(paths.idle))
      burdened.push(await round(paths.burdened))
    }
    const median = (rates: readonly number[]): number => [...rates].sort((a, b) => a - b)[rates.length >> 1] ?? 0
    const share = median(burdened) / median(idle)
    const words = [idle, burdened].map((rates) => rates.map((r) => Math.round(r)).join(' ')).join('; with the dead: ')
    process.stdout.write(`live host: ${Math.round(share * 100)} % of its rate (messages a second alone: ${words})\n`)
    // The dead hosts were really tried meanwhile, and nothing of theirs is lost.
    expect(paths.burdened.of('delivery.connection-error').length).toBeGreaterThan(ROUNDS)
    expect(paths.burdened.spool.gauges().queuedRecipients).toBeGreaterThanOrEqual(DEAD)
    expect(share, words).toBeGreaterThanOrEqual(0.8)
  }, 900_000)
})
