import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCounters } from '../../src/adapters/sqlite/counters-block.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { SPOOL_MIGRATIONS } from '../../src/adapters/sqlite/spool-schema.ts'
import { createSpoolStore } from '../../src/adapters/sqlite/spool.ts'
import { systemClock } from '../../src/core/clock.ts'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { testMessage } from '../support/load.ts'
import { freePort } from '../support/ports.ts'
import { collect, ended, until } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { newEntry } from '../support/spool.ts'

/* The queue commands at a long queue for dead hosts: each tells the truth, in bounded time, while mail still comes in. */

const MESSAGES = Number(process.env['LYCHGATE_QUEUED'] ?? (process.env['LYCHGATE_NIGHTLY'] ? 100_000 : 10_000))
const TOGETHER = 1000
const DEAD = 'dead.example'
const OTHER = 'other.example'
/** One message in ten. */
const OF_OTHER = MESSAGES / 10

const fill = async (home: string): Promise<void> => {
  // What is written before the appliance runs need not survive a power cut.
  const writer = inlineWriter({ durable: false })
  const database = await writer.open(join(home, 'db', 'spool.db'), SPOOL_MIGRATIONS)
  const directory = join(home, 'spool')
  const spool = createSpoolStore({ database, directory, clock: systemClock, onSetAside: () => undefined })
  const counters = await createCounters(database)
  const receivedAt = new Date()
  const body = Buffer.from('Subject: waits\r\n\r\nThe text.\r\n')
  for (let done = 0; done < MESSAGES; done += TOGETHER)
    await Promise.all(
      Array.from({ length: TOGETHER }, (_, i) =>
        spool.accept(
          newEntry(counters.next('mid'), {
            receivedAt,
            sender: '',
            recipients: [{ rid: 0, address: `user${done + i}@${i % 10 === 0 ? OTHER : DEAD}` }],
            subject: 'waits',
            size: body.length,
            state: { kind: 'queued' },
            body,
          }),
        ),
      ),
    )
  await counters.close()
  await writer.close()
}

/** Sends without a pause until it is stopped; milliseconds from MAIL to the answer after the final dot. */
const sending = (port: number) => {
  const took: number[] = []
  let stopped = false
  const run = (async () => {
    const client = await SmtpClient.open(port)
    for (let n = 0; !stopped; n++) {
      const began = performance.now()
      const reply = await client.send(
        { from: 'a@partner.example.net', to: ['user@example.com'] },
        testMessage(`m${n}`, n),
      )
      if (reply.code !== 250) throw new Error(`${reply.code} ${reply.text}`)
      took.push(performance.now() - began)
      if (n % 500 === 499) {
        await client.quit()
        return await Promise.resolve()
      }
    }
    await client.quit()
  })()
  return {
    stop: async () => {
      stopped = true
      await run
      const sorted = took.toSorted((a, b) => a - b)
      return { count: sorted.length, p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, worst: sorted.at(-1) ?? 0 }
    },
  }
}

const figures = (line: string, seconds: number, p99: number, worst: number, count: number): string =>
  `${line.padEnd(40)} ${seconds.toFixed(2).padStart(7)} s   SMTP p99 ${p99.toFixed(0)} ms, worst ${worst.toFixed(0)} ms of ${count}`

describe(`the queue commands at ${MESSAGES} messages`, () => {
  let home: string
  let gateway: Serving
  beforeAll(async () => {
    home = freshHome()
    const port = await freePort()
    const dead = await freePort()
    const routes = [DEAD, OTHER, 'third.example'].map((d) => `smtproutes new ${d} [127.0.0.1]:${dead}`)
    const set = await shell(
      home,
      ['--smtp', `127.0.0.1:${port}`, '--accept', 'example.com'],
      `${routes.join('\n')}\ncommit "routes" Y\n`,
    )
    expect(`${set.code} ${set.stdout}${set.stderr}`).toMatch(/^0 /)
    await fill(home)
    gateway = await serve(home, { port })
  }, 300_000)
  afterAll(async () => {
    await gateway.stop()
    removeHome(home)
  }, 60_000)

  it('tell the truth, one after the other, while a client sends', async () => {
    const report: string[] = []
    /** Commands that print until Ctrl-C: how long until the line that is expected. */
    const watch = async (line: string, expected: RegExp): Promise<void> => {
      const mail = sending(gateway.port)
      const began = performance.now()
      const child = spawn(process.execPath, [program, '--home', home, '-c', line], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const said = collect(child)
      const end = ended(child)
      await until(`${line} has printed a line`, () => expected.test(said().stdout), 30_000)
      const seconds = (performance.now() - began) / 1000
      child.kill('SIGINT')
      await end
      const { count, p99, worst } = await mail.stop()
      report.push(figures(line, seconds, p99, worst, count))
      expect(p99).toBeLessThan(2000)
    }
    const run = async (line: string, expected: RegExp, input = ''): Promise<string> => {
      const mail = sending(gateway.port)
      const began = performance.now()
      const { code, stdout, stderr } = await shell(home, ['-c', line], input, { timeoutMs: 300_000 })
      const seconds = (performance.now() - began) / 1000
      const { count, p99, worst } = await mail.stop()
      report.push(figures(line, seconds, p99, worst, count))
      expect(`${line}: ${code} ${stderr}${stdout.slice(0, 4000)}`).toMatch(
        new RegExp(`^${line}: 0 `.replace(/[[\]]/g, '\\$&')),
      )
      expect(stdout).toMatch(expected)
      // A person waits for it, and mail does not.
      expect(seconds).toBeLessThan(MESSAGES > 50_000 ? 120 : 60)
      expect(p99).toBeLessThan(2000)
      return stdout
    }
    const n = String(MESSAGES)
    await run('status', /System status: +Online/)
    await run('status detail', /Online/)
    await run(`hoststatus ${DEAD}`, new RegExp(`Active Recipients +[\\d,]*`))
    await run('tophosts active_rcpts', new RegExp(`1\\s+${DEAD.replace('.', '\\.')}`))
    await run('topin', /./)
    await run('workqueue status', /Operational/)
    await run('workqueue pause test', /./)
    await run('workqueue resume', /./)
    const gauge = String.raw`^\d\d:\d\d:\d\d .*\d`
    await watch('rate 1', new RegExp(gauge, 'm'))
    await watch(`hostrate ${DEAD} 1`, new RegExp(gauge, 'm'))
    await watch('workqueue rate 1', new RegExp(gauge, 'm'))
    await run('oldmessage', /Message|MID 1\b/)
    await run('showmessage 1', /Subject: waits/)
    await run('archivemessage 1', /./)
    const shown = await run(`showrecipients host ${OTHER}`, /other\.example/)
    expect(shown.match(/@other\.example/g)?.length).toBeGreaterThanOrEqual(OF_OTHER)
    await run('showrecipients all', /dead\.example/)
    await run(`delivernow ${OTHER}`, /./)
    await run('suspenddel all', /suspended/)
    await run('resumedel all', /resumed/)
    // Nobody can send meanwhile: without a client.
    for (const line of ['suspend 0', 'resume', 'suspendlistener all --seconds=0', 'resumelistener all']) {
      const began = performance.now()
      const { code, stdout, stderr } = await shell(home, ['-c', line], '')
      report.push(`${line.padEnd(40)} ${((performance.now() - began) / 1000).toFixed(2).padStart(7)} s`)
      expect(`${line}: ${code} ${stderr}${stdout}`).toMatch(/: 0 .*(suspended|resumed)/is)
    }
    await run('resetcounters', /reset/i)
    await run(`bouncerecipients host ${OTHER}`, new RegExp(`${OF_OTHER}`))
    await run('redirectrecipients host third.example', new RegExp(`${MESSAGES - OF_OTHER}`))
    await run('removemessage 2', /./, 'y\n')
    const deleted = await run('deleterecipients all', /messages|recipients/)
    process.stdout.write(`${n} messages queued\n${report.join('\n')}\n`)
    expect(deleted).toMatch(/\d/)
    expect((await shell(home, ['-c', 'status detail'])).stdout).toMatch(/Messages In Queue|Active Recipients/)
  }, 900_000)
})
