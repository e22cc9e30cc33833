import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spool } from '../../src/main/spool-verb.ts'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import { createLedger, exported } from '../support/ledger.ts'
import type { Waiting } from '../support/ledger.ts'
import { sendLoad, sha256, testMessage } from '../support/load.ts'
import type { Mail } from '../support/load.ts'
import { mailPaths } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { ended, until } from '../support/processes.ts'
import { recordingHop } from '../support/recording-hop.ts'
import type { RecordingHop } from '../support/recording-hop.ts'

/** `.ci/run` says how many; the seed of another run is printed with every finding. */
const ROUNDS = Number(process.env['LYCHGATE_FAULT_ROUNDS'] ?? 3)
const SEED = Number(process.env['LYCHGATE_FAULT_SEED'] ?? 1)
const PER_ROUND = 250
/** Held and undeliverable messages stay to the end: so many of each are enough. */
const KEPT = 60
/** How often all that can be delivered is delivered, and the mailboxes are emptied. */
const DRAIN_EVERY = 50

const mulberry = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

describe(`the ledger of ${ROUNDS} kills -9 (seed ${SEED})`, () => {
  const random = mulberry(SEED)
  const ledger = createLedger((recipient) => recipient.endsWith('@example.com'))
  const counted = new Set<string>()
  let home: string
  let port: number
  let hop: RecordingHop
  let sent = 0
  let kept = 0

  beforeAll(async () => {
    home = freshHome()
    port = await freePort()
    const dead = await freePort()
    hop = await recordingHop(
      ({ recipients, bytes }) => ledger.copy(recipients, bytes),
      () => random() * 30,
    )
    const { code, stdout, stderr } = await shell(
      home,
      [
        '--smtp',
        `127.0.0.1:${port}`,
        ...['example.com', 'hop.example.net', 'dead.example.net'].flatMap((d) => ['--accept', d]),
      ],
      [
        `smtproutes new hop.example.net [127.0.0.1]:${hop.port}`,
        `smtproutes new dead.example.net [127.0.0.1]:${dead}`,
        'filters new\nhold: if header("X-Ledger") == "^hold-" { quarantine("Policy"); }\n.',
        'commit "routes" Y\n',
      ].join('\n'),
    )
    expect(`${code} ${stdout}${stderr}`).toMatch(/^0 /)
  })
  afterAll(async () => {
    await hop.close()
    removeHome(home)
  })

  const newMail = (): Mail => {
    const n = sent++
    const special = n % 20 === 7 && kept < 2 * KEPT ? (kept++ % 2 === 0 ? 'hold' : 'dead') : null
    const id = `${special ?? 'mail'}-${n}`
    const to =
      special === 'dead'
        ? [`user${n}@dead.example.net`]
        : n % 5 === 4
          ? [`user${n}@hop.example.net`, 'box@example.com']
          : [n % 5 === 3 ? 'box@example.com' : `user${n}@hop.example.net`]
    const small = testMessage(id, n)
    // Some are too big for the database and go into files of their own.
    const bytes =
      n % 60 === 59
        ? Buffer.concat([small, Buffer.alloc(300_000, `${'x'.repeat(70)}\r\n`), Buffer.from('\r\n')])
        : small
    ledger.sending(id, to, sha256(bytes))
    return { id, to, bytes }
  }

  const underLoad = async (): Promise<void> => {
    const killAfter = Math.floor(random() * (PER_ROUND - 130))
    const killLater = random() * 40
    const gateway = await serve(home, { port })
    let left = PER_ROUND
    let accepted = 0
    let killed: Promise<void> | null = null
    const kill = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, killLater))
      await gateway.kill()
    }
    await sendLoad({
      port,
      connections: 8,
      next: () => (left-- > 0 ? newMail() : null),
      onAccepted: ({ id, to }) => {
        ledger.acknowledged(id, to)
        if (++accepted >= killAfter) killed ??= kill()
      },
      onRefused: ({ id }, text) => expect.fail(`${id} was refused: ${text}`),
    })
    await (killed ?? kill())
  }

  /** While it starts, or finds its queue again. */
  const atStart = async (): Promise<void> => {
    const child = spawn(process.execPath, [program, '--home', home, 'serve'], { stdio: 'ignore' })
    const end = ended(child)
    await new Promise((resolve) => setTimeout(resolve, 200 + random() * 1000))
    child.kill('SIGKILL')
    await end
  }

  const recipientOf = (bytes: Buffer): string =>
    /^Delivered-To: (\S+)/m.exec(bytes.toString('latin1', 0, 2000))?.[1] ?? ''

  const countMailboxes = (): void => {
    for (const path of mailPaths(home).filter((p) => !counted.has(p))) {
      counted.add(path)
      const bytes = readFileSync(path)
      ledger.copy([recipientOf(bytes)], bytes)
    }
  }

  /** What waits in the spool of the dead appliance, after all that it had sent has arrived. */
  const look = async (): Promise<readonly Waiting[]> => {
    await until('the next hop has read all', () => hop.open === 0)
    countMailboxes()
    const directory = join(home, 'exported')
    const said: string[] = []
    expect(await spool(['export', directory], home, (line) => said.push(line)), said.join('\n')).toBe(0)
    const waiting = exported(directory)
    rmSync(directory, { recursive: true })
    expect(ledger.killed(waiting)).toEqual([])
    return waiting
  }

  const isKept = (id: string): boolean => /^(hold|dead)-/.test(id)

  /** Lets the appliance deliver all that can be delivered. */
  const drain = async (): Promise<readonly Waiting[]> => {
    for (let tries = 0; ; tries++) {
      const gateway = await serve(home, { port })
      const done = (): boolean => {
        countMailboxes()
        return ledger.undelivered().every(isKept)
      }
      await until('the queue is delivered', done, 240_000)
      await gateway.stop()
      const waiting = await look()
      // What was never acknowledged may still be under way.
      if (tries === 5 || waiting.every((w) => isKept(w.id))) return waiting
    }
  }

  const findings = (waiting: readonly Waiting[]): void => {
    const found = ledger.findings(waiting)
    // A long run may be ended before its report: what is wrong is said at once.
    for (const fault of ['lost', 'damaged', 'unexplained', 'strangers', 'forgetful'] as const)
      if (found[fault].length > 0) process.stdout.write(`ledger: ${fault}: ${found[fault].slice(0, 20).join('; ')}\n`)
    expect(found).toMatchObject({ lost: [], damaged: [], unexplained: [], strangers: [], forgetful: [] })
    process.stdout.write(
      `ledger: ${found.acknowledged} recipients acknowledged, 0 lost, ${found.duplicates} duplicates, at most ${found.most} copies\n`,
    )
  }

  let broken: number | null = null
  const oneRound = async (round: number): Promise<void> => {
    await (random() < 0.1 ? atStart() : underLoad())
    await look()
    if ((round + 1) % DRAIN_EVERY !== 0 && round + 1 !== ROUNDS) return
    const waiting = await drain()
    expect(waiting.filter((w) => !isKept(w.id))).toEqual([])
    findings(waiting)
    for (const path of mailPaths(home)) rmSync(path)
    counted.clear()
  }

  it.each(Array.from({ length: ROUNDS }, (_, i) => i))(
    'kill %i loses nothing',
    async (round) => {
      // Without what a kill showed, every later account would be wrong.
      expect(broken, 'an earlier round failed: the books are not whole').toBeNull()
      broken = round
      try {
        await oneRound(round)
        broken = null
      } catch (error) {
        process.stdout.write(`ledger: kill ${round}: ${String(error)}\n`)
        throw error
      }
    },
    // On a machine with much else to do a round takes long; that is no finding.
    600_000,
  )
})
