import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { inspectSpool } from '../../src/adapters/sqlite/spool-inspect.ts'
import { SPOOL_MIGRATIONS } from '../../src/adapters/sqlite/spool-schema.ts'
import { createSpoolStore } from '../../src/adapters/sqlite/spool.ts'
import { systemClock } from '../../src/core/clock.ts'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import { identify, sendLoad, sha256, testMessage } from '../support/load.ts'
import type { Mail } from '../support/load.ts'
import { mailPaths } from '../support/mailboxes.ts'
import { answers, freePort } from '../support/ports.ts'
import { createPowerLoss } from '../support/power-loss.ts'
import { ended, until, which } from '../support/processes.ts'
import { readSyscalls, straceArgs, stringsOf } from '../support/syscalls.ts'
import type { Syscall } from '../support/syscalls.ts'

const MESSAGES = process.env['LYCHGATE_NIGHTLY'] === undefined ? 60 : 1500
/** Of each of the two loads. */
const MOST_BIG = 60
/** Of so many power cuts, one is followed by a start of the whole appliance. */
const START_EVERY = process.env['LYCHGATE_NIGHTLY'] === undefined ? 60 : 300

const generator = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
  return (seed >>> 0) / 4_294_967_296
}

/** The part of a home that holds messages; SQLite makes its shared memory again. */
const holdsMail = (path: string): boolean =>
  /^(db|spool|mailboxes)(\/|$)/.test(path) && !path.endsWith('-shm') && !/^db\/(?!spool)/.test(path)

/** MIDs whose acceptance this call tells a client. */
const acknowledgedBy = (call: Syscall): readonly number[] =>
  call.phase === 'end' || !/^(write|writev|sendto|sendmsg)$/.test(call.name)
    ? []
    : stringsOf(call.args).flatMap((text) =>
        [...text.toString('latin1').matchAll(/^250 .*Message (\d+) accepted/gm)].map(([, mid]) => Number(mid)),
      )

describe.skipIf(which('strace') === null)('power loss at every sync', () => {
  const random = generator(1)
  /** SHA-256 by ledger id. */
  const sent = new Map<string, string>()
  const idOf = new Map<number, string>()
  const logs: string[] = []
  let home: string
  let work: string
  let port: number
  let syncs = 0

  const traced = (args: readonly string[], stdin: 'ignore' | 'pipe') => {
    const log = join(work, `trace-${logs.length}`)
    logs.push(log)
    const child = spawn('strace', [...straceArgs(log), process.execPath, program, '--home', home, ...args], {
      stdio: [stdin, 'ignore', 'ignore'],
      // Calls through io_uring would not be seen.
      env: { ...process.env, UV_USE_IO_URING: '0' },
    })
    return { child, end: ended(child) }
  }

  const load = async (name: string): Promise<void> => {
    const mails = Array.from({ length: MESSAGES / 2 }, (_, n): Mail => {
      const id = `${name}-${n}`
      const small = testMessage(id, n)
      // Every cut writes the whole spool anew: some big messages tell as much as hundreds of them.
      const big = n < MOST_BIG && (n % 20 === 9 ? 300_000 : n % 7 === 0 ? 60_000 : 0)
      const tail = Buffer.alloc(big || 0, `${'x'.repeat(70)}\r\n`)
      const bytes = Buffer.concat([small, tail, Buffer.from('\r\n')])
      sent.set(id, sha256(bytes))
      return { id, to: [n % 2 === 0 ? 'box@example.com' : `u${n}@dead.example.net`], bytes }
    })
    await sendLoad({
      port,
      connections: 4,
      next: () => mails.shift() ?? null,
      onAccepted: ({ id }, text) => idOf.set(Number(/Message (\d+) accepted/.exec(text)?.[1]), id),
    })
  }

  const serving = async (name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const { child, end } = traced(['serve'], 'ignore')
    await until('the traced appliance listens', async () => await answers({ port }), 60_000)
    await load(name)
    const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim())
    process.kill(pid, signal)
    await end
  }

  beforeAll(async () => {
    home = freshHome()
    work = mkdtempSync(join(tmpdir(), 'lychgate-power-'))
    port = await freePort()
    rmSync(home, { recursive: true })
    const seed = ['--smtp', `127.0.0.1:${port}`, '--accept', 'example.com', '--accept', 'dead.example.net']
    const { child, end } = traced(seed, 'pipe')
    child.stdin?.end(`smtproutes new dead.example.net [127.0.0.1]:${await freePort()}\ncommit "route" Y\n`)
    await end
    await serving('first', 'SIGTERM')
    await serving('second', 'SIGKILL')
  }, 300_000)
  afterAll(() => {
    removeHome(home)
    rmSync(work, { recursive: true, force: true })
  })

  /** Ledger ids of the messages that a start finds, each with the bytes that were sent. */
  const recovered = async (image: string): Promise<ReadonlySet<string>> => {
    const ids = new Set<string>()
    const take = (bytes: Buffer | null): void => {
      const mail = bytes && identify(bytes)
      if (mail && sent.get(mail.id) === mail.sha256) ids.add(mail.id)
    }
    const database = join(image, 'db', 'spool.db')
    const directory = join(image, 'spool')
    if (existsSync(database)) {
      const writer = inlineWriter({ durable: false })
      createSpoolStore({ database: await writer.open(database, SPOOL_MIGRATIONS), directory, clock: systemClock })
      await writer.close()
      const spool = inspectSpool(database, directory)
      const faults = [...spool.faults()]
      for (const message of spool.messages()) {
        const { bytes, fault } = message.body()
        faults.push(...message.faults, ...(fault === null ? [] : [fault]))
        take(bytes)
      }
      spool.close()
      expect(faults, `cut before sync ${syncs}`).toEqual([])
    }
    for (const path of mailPaths(image)) take(readFileSync(path))
    return ids
  }

  /** The whole program on what the power cut left: it delivers what can be delivered, and keeps the rest. */
  const started = async (image: string, acknowledged: ReadonlySet<string>): Promise<void> => {
    const gateway = await serve(image, { port })
    await until('what was in the spool is delivered', async () => {
      const { stdout } = await shell(image, ['-c', 'showrecipients all'])
      return !/@example\.com/.test(stdout)
    })
    await gateway.stop()
    const found = await recovered(image)
    expect([...acknowledged].filter((id) => !found.has(id))).toEqual([])
  }

  it('leaves every acknowledged message in the spool or in its mailbox, whole', async () => {
    const disk = createPowerLoss(home)
    const acknowledged = new Set<string>()
    const image = join(work, 'image')
    const lost: string[] = []

    let starts = 0

    const cut = async (keep: () => boolean, wanted: (path: string) => boolean, act: () => Promise<void>) => {
      disk.image(image, keep, wanted)
      await act()
      rmSync(image, { recursive: true })
    }
    const check = (what: string) => async (): Promise<void> => {
      const found = await recovered(image)
      for (const id of acknowledged) if (!found.has(id)) lost.push(`${id}, cut before sync ${syncs}, ${what}`)
    }
    const powerCuts = async (): Promise<void> => {
      await cut(() => false, holdsMail, check('only what was synced'))
      const share = random()
      await cut(() => random() < share, holdsMail, check(`${Math.round(share * 100)} % of the rest`))
      if (syncs % START_EVERY !== START_EVERY - 1 || acknowledged.size === 0) return
      starts++
      await cut(
        () => false,
        (path) => !path.endsWith('-shm'),
        async () => await started(image, acknowledged),
      )
    }

    for (const log of logs) {
      for await (const call of readSyscalls(log)) {
        for (const mid of acknowledgedBy(call)) {
          const id = idOf.get(mid)
          if (id !== undefined) acknowledged.add(id)
        }
        const path = disk.syncs(call)
        // What the next sync would have saved is not there yet, and all that was answered meanwhile counts.
        if (path !== null && holdsMail(path.slice(home.length + 1))) {
          await powerCuts()
          syncs++
        }
        disk.feed(call)
      }
      disk.ended()
    }
    await powerCuts()
    process.stdout.write(
      `power loss: ${acknowledged.size} messages, ${syncs} syncs, ${2 * syncs} cuts, ${starts} starts\n`,
    )
    expect(lost).toEqual([])
    expect(acknowledged.size).toBe(idOf.size)
    expect(idOf.size).toBe(MESSAGES)
    expect(starts).toBeGreaterThan(0)
  }, 3_600_000)
})
