import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import type { ClientChannel } from 'ssh2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { noOpenSsh, openSsh } from '../support/openssh.ts'
import { openSshGateway } from '../support/ssh-gateway.ts'
import type { SshGateway } from '../support/ssh-gateway.ts'
import { until } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const why = noOpenSsh()
const BUSY = { log: 'ecs', sessions: 20, perSecond: 5000 }
const QUIET = { log: 'remediation', sessions: 180, perSecond: 50 }
const SECONDS = 12
const TICK_MS = 50
const LIMIT_MB = 512

/** Counts the numbered lines that came; `broken` when one was missing or twice. */
const counter = () => {
  let rest = ''
  const seen = { next: -1, broken: 0, text: '' }
  const take = (chunk: Buffer): void => {
    const all = rest + chunk.toString('latin1')
    let from = 0
    for (let at = all.indexOf('\n'); at >= 0; at = all.indexOf('\n', from)) {
      const mark = all.indexOf('crowd ', from)
      if (mark >= 0 && mark < at) {
        const number = Number(all.slice(mark + 6, mark + 14))
        if (seen.next >= 0 && number !== seen.next) seen.broken++
        seen.next = number + 1
      } else seen.text += all.slice(from, at)
      from = at + 1
    }
    rest = all.slice(from)
  }
  return { seen, take }
}

describe.skipIf(why !== null)(`200 sessions that follow logs${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let opened: SshGateway
  let home: string
  let folder: string
  let gateway: Serving
  let port: number
  const connections: ssh2.Client[] = []
  beforeAll(async () => {
    opened = await openSshGateway()
    ;({ home, folder, port, gateway } = opened)
    const key = await openSsh(folder, port).key('admin', '-t', 'ed25519')
    const script = ['sshconfig', 'sshd', 'setup', 'y', '', '', '', '', '', '500', 'userkey', 'new', key, '', '', '']
    const made = await shell(home, [], `${script.join('\n')}\ncommit "crowd" N\n`)
    expect(`${made.code} ${made.stdout}${made.stderr}`).toMatch(/^0 /)
  }, 60_000)
  afterAll(async () => {
    for (const connection of connections) connection.end()
    await opened.close()
  })

  const connect = (): Promise<ssh2.Client> =>
    new Promise((resolve, reject) => {
      const connection = new ssh2.Client()
      connections.push(connection)
      connection.once('ready', () => resolve(connection)).once('error', reject)
      const privateKey = readFileSync(join(folder, 'admin'))
      connection.connect({ host: '127.0.0.1', port, username: 'admin', privateKey, readyTimeout: 30_000 })
    })
  const follow = (connection: ssh2.Client, log: string): Promise<ClientChannel> =>
    new Promise((resolve, reject) => {
      connection.exec(`tail ${log}`, (error, channel) => (error ? reject(error) : resolve(channel)))
    })
  const rss = (): number =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024

  /** Appends as the log's own writer does, whole lines at a time. */
  const writer = (log: string, perSecond: number) => {
    const path = join(home, 'logs', log, `${log}.current`)
    let number = 0
    const write = (count: number): void => {
      let text = ''
      for (let i = 0; i < count; i++)
        text += `Sun Nov 22 20:27:57 2026 Info: crowd ${String(number++).padStart(8, '0')} ${'x'.repeat(70)}\n`
      appendFileSync(path, text)
    }
    return {
      write,
      tick: (ticks: number) => write(Math.round((perSecond * TICK_MS * ticks) / 1000)),
      count: () => number,
    }
  }

  it(`lose no line, while memory stays under ${LIMIT_MB} MB and SMTP answers; who does not keep up is told`, async () => {
    const readers: { readonly log: string; readonly seen: ReturnType<typeof counter>['seen'] }[] = []
    const reads = async (connection: ssh2.Client, log: string): Promise<ClientChannel> => {
      const { seen, take } = counter()
      const channel = await follow(connection, log)
      channel.on('data', take)
      readers.push({ log, seen })
      return channel
    }
    for (let i = 0; i < BUSY.sessions; i++) await reads(await connect(), BUSY.log)
    for (let i = 0; i < QUIET.sessions / 10; i++) {
      const connection = await connect()
      for (let j = 0; j < 10; j++) await reads(connection, QUIET.log)
    }
    const slow = counter()
    const stuck = await follow(await connect(), BUSY.log)
    const busy = writer(BUSY.log, BUSY.perSecond)
    const quiet = writer(QUIET.log, QUIET.perSecond)
    busy.write(1)
    quiet.write(1)
    await until('everybody follows', () => readers.every(({ seen }) => seen.next === 1), 20_000)

    const answers: number[] = []
    const begin = performance.now()
    let over = false
    const mail = (async () => {
      while (!over) {
        const since = performance.now()
        const client = await SmtpClient.open(gateway.port)
        client.close()
        answers.push(performance.now() - since)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    for (let ticks = 0; performance.now() - begin < SECONDS * 1000;) {
      const due = Math.floor((performance.now() - begin) / TICK_MS)
      busy.tick(due - ticks)
      if (due % 2 === 0) quiet.tick(2)
      ticks = due
      await new Promise((resolve) => setTimeout(resolve, TICK_MS - ((performance.now() - begin) % TICK_MS)))
    }
    const inTime = busy.count()
    const counts: Readonly<Record<string, number>> = { [BUSY.log]: busy.count(), [QUIET.log]: quiet.count() }
    await until('all lines are there', () => readers.every(({ log, seen }) => seen.next === counts[log]), 40_000)
    over = true
    await mail
    // More than one that takes nothing may be behind, in steps that all others keep up with.
    for (let i = 0; i < 10; i++) {
      busy.write(4000)
      await until(
        'they keep up',
        () => readers.every((r) => r.log !== BUSY.log || r.seen.next === busy.count()),
        15_000,
      )
    }
    stuck.on('data', slow.take)
    await until('the slow one is told', () => slow.seen.text.includes('This terminal is slower than the log'), 10_000)

    answers.sort((a, b) => a - b)
    const p99 = answers[Math.floor(answers.length * 0.99)] ?? Number.NaN
    process.stdout.write(
      `\n${BUSY.sessions} sessions × ${inTime} lines and ${QUIET.sessions} × ${quiet.count()} in ${SECONDS} s: peak ` +
        `${Math.round(rss())} MB, SMTP p99 ${Math.round(p99)} ms (${answers.length} connections)\n`,
    )
    expect(readers.filter(({ seen }) => seen.broken > 0)).toEqual([])
    expect(rss()).toBeLessThan(LIMIT_MB)
    expect(p99).toBeLessThan(1000)
    expect(inTime).toBeGreaterThan(SECONDS * BUSY.perSecond * 0.9)
  }, 180_000)
})
