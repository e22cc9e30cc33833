import { readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { identify, sha256, testMessage } from '../support/load.ts'
import { mailPath } from '../support/mail-path.ts'
import { delivered } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { until, which } from '../support/processes.ts'
import { readOnlySpool } from '../support/read-only.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import type { Reply } from '../support/smtp-client.ts'
import { smallDisk } from '../support/small-disk.ts'
import type { SmallDisk } from '../support/small-disk.ts'

const ENVELOPE = { from: 'sender@partner.example.net', to: ['box@example.com'] }
const probe = await smallDisk('1m')
await probe?.remove()

describe.skipIf(probe === null)('a disk that takes no more', () => {
  let disk: SmallDisk
  let gateway: Serving
  /** By ledger id: what was answered 250. */
  const accepted = new Map<string, string>()
  let sent = 0

  const send = async (): Promise<Reply> => {
    const id = `disk-${sent++}`
    const bytes = testMessage(id, sent)
    const client = await SmtpClient.open(gateway.port)
    try {
      const reply = await client.send(ENVELOPE, bytes)
      if (reply.code === 250) accepted.set(id, sha256(bytes))
      return reply
    } finally {
      client.close()
    }
  }
  const missing = (): readonly string[] => {
    const found = new Map(
      delivered(disk.folder).map(({ bytes }) => Object.values(identify(bytes) ?? {}) as [string, string]),
    )
    return [...accepted].flatMap(([id, sha]) => (found.get(id) === sha ? [] : [id]))
  }

  beforeAll(async () => {
    disk = (await smallDisk('48m')) as SmallDisk
    gateway = await serve(disk.folder)
  })
  afterAll(async () => {
    await gateway.stop()
    await disk.remove()
  })

  it('is answered 452, without a crash, and mail is taken again as soon as there is room', async () => {
    expect((await send()).code).toBe(250)
    disk.fill()
    const refused = await repeat(send, (reply) => reply.code !== 250)
    expect(refused.code).toBe(452)
    expect(refused.text).toMatch(/^4\.3\.1 /)
    const before = accepted.size
    // It stays up, says so, and goes on refusing.
    expect((await send()).code).toBe(452)
    expect(accepted.size).toBe(before)
    expect((await shell(disk.folder, ['-c', 'version'])).code).toBe(0)
    disk.free()
    await until('mail is accepted again', async () => (await send()).code === 250)
    await until('all that was accepted is delivered', () => missing().length === 0)
    expect((await shell(disk.folder, ['-c', 'displayalerts'])).stdout).toMatch(/disk of the mail queue is full/)
  })
})

describe.skipIf(which('strace') === null)('a disk that became read-only under the appliance', () => {
  it('is answered 452, without a crash, and mail is taken again as soon as it can be written', async () => {
    const home = freshHome()
    const gateway = await serve(home)
    let sent = 0
    const accepted = new Set<string>()
    const send = async (): Promise<Reply> => {
      const id = `read-only-${sent++}`
      const client = await SmtpClient.open(gateway.port)
      try {
        const reply = await client.send(ENVELOPE, testMessage(id, sent))
        if (reply.code === 250) accepted.add(id)
        return reply
      } finally {
        client.close()
      }
    }
    try {
      expect((await send()).code).toBe(250)
      const fault = await readOnlySpool(gateway.pid, home)
      try {
        for (let n = 0; n < 3; n++) {
          const { code, text } = await send()
          expect(`${code} ${text}`).toMatch(/^452 4\.3\.1 /)
        }
        expect((await shell(home, ['-c', 'version'])).code).toBe(0)
      } finally {
        await fault.end()
      }
      await until('mail is accepted again', async () => (await send()).code === 250)
      await until('all that was accepted is delivered', () => {
        const found = new Set(delivered(home).map(({ bytes }) => identify(bytes)?.id))
        return [...accepted].every((id) => found.has(id))
      })
      expect((await shell(home, ['-c', 'displayalerts'])).stdout).toMatch(/disk of the mail queue/)
    } finally {
      await gateway.stop()
      removeHome(home)
    }
  })
})

describe('a spool that became read-only', () => {
  it('answers 452 and keeps the session', async () => {
    const path = await mailPath()
    await path.smtp.start(path.config, new AbortController().signal)
    const client = await SmtpClient.open(path.port())
    const codes: number[] = []
    const send = async (): Promise<void> => void codes.push((await client.send(ENVELOPE, testMessage('x', 1))).code)
    await send()
    // What SQLite says then is what it says of a file system that was mounted again without writing.
    await path.database.write([{ sql: 'PRAGMA query_only = ON' }])
    await send()
    await send()
    expect((await client.command('NOOP')).code).toBe(250)
    client.close()
    expect(codes).toEqual([250, 452, 452])
    expect(path.accepted).toHaveLength(1)
    await path.stop()
  })
})

describe('damaged files of the spool', () => {
  let home: string
  let port: number
  beforeAll(async () => {
    home = freshHome()
    port = await freePort()
  })
  afterAll(() => removeHome(home))

  const flip = (path: string, at: number): void => {
    const bytes = readFileSync(path)
    bytes[at] = (bytes[at] as number) ^ 4
    writeFileSync(path, bytes)
  }

  it('cost the messages that they hold: set aside, with an alert, while the others flow', async () => {
    const before = await serve(home, { port })
    expect((await shell(home, ['-c', 'workqueue pause damage'])).code).toBe(0)
    const client = await SmtpClient.open(port)
    const mids: string[] = []
    for (const [n, id] of ['whole', 'cut-file', 'flipped-file', 'flipped-row', 'last'].entries()) {
      const large = id.endsWith('-file') ? Buffer.alloc(300_000, `${id}${'x'.repeat(60)}\r\n`) : Buffer.alloc(0)
      const reply = await client.send(ENVELOPE, Buffer.concat([testMessage(id, n), large, Buffer.from('\r\n')]))
      expect(reply.code).toBe(250)
      mids.push(/Message (\d+) accepted/.exec(reply.text)?.[1] ?? '')
    }
    await client.quit()
    await before.stop()

    const bodies = join(home, 'spool', 'bodies')
    const fileOf = (id: string): string =>
      readdirSync(bodies)
        .map((name) => join(bodies, name))
        .find((path) => readFileSync(path).includes(`X-Ledger: ${id}`)) ?? ''
    truncateSync(fileOf('cut-file'), 1000)
    flip(fileOf('flipped-file'), 200_000)
    const database = join(home, 'db', 'spool.db')
    flip(database, readFileSync(database).indexOf('line 0 of flipped-row'))

    const checked = await shell(home, ['spool', 'check'])
    expect(checked.code).toBe(1)
    for (const mid of mids.slice(1, 4)) expect(checked.stdout).toMatch(new RegExp(`^MID ${mid}: its body`, 'm'))

    const after = await serve(home, { port })
    expect((await shell(home, ['-c', 'workqueue resume'])).code).toBe(0)
    await until('the whole ones are delivered', () => delivered(home).length >= 2)
    await until('the damaged ones are set aside', () => readdirSync(join(home, 'spool', 'corrupt')).length >= 6)
    const alerts = (await shell(home, ['-c', 'displayalerts'])).stdout
    for (const mid of mids.slice(1, 4)) expect(alerts).toMatch(new RegExp(`spool entry of MID ${mid} is damaged`))
    await after.stop()
    expect(
      delivered(home)
        .map(({ bytes }) => identify(bytes)?.id)
        .sort(),
    ).toEqual(['last', 'whole'])
  })
})

const repeat = async <T>(act: () => Promise<T>, holds: (value: T) => boolean): Promise<T> => {
  for (let tries = 0; tries < 200; tries++) {
    const value = await act()
    if (holds(value)) return value
  }
  throw new Error('200 tries in vain')
}
