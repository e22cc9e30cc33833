import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImapFlow } from 'imapflow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createImapProvider } from '../../src/adapters/imap/provider.ts'
import { createHoldArea } from '../../src/adapters/maildir/hold.ts'
import type { ImapServer } from '../../src/config/sections/imap-mailboxes.ts'
import type { MailboxProvider } from '../../src/remediation/ports.ts'
import type { Delivery } from '../../src/store/spool.ts'
import { RECIPIENT, mailText, runMailboxProviderSuite, sha256 } from '../contract/mailbox-provider.ts'
import type { ProviderBench } from '../contract/mailbox-provider.ts'
import { PASSPHRASE, noDovecot, startDovecot } from '../support/dovecot.ts'
import type { Dovecot } from '../support/dovecot.ts'
import { FakeClock } from '../support/fake-clock.ts'

const at = new Date('2022-03-30T00:00:00Z')
const live = new AbortController().signal
const why = noDovecot()

describe.skipIf(why !== null)(`mailboxes of a Dovecot${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let dovecot: Dovecot
  let users = 0
  beforeAll(async () => {
    dovecot = await startDovecot()
  })
  afterAll(() => dovecot.stop())

  const open = async (user: string): Promise<ImapFlow> => {
    const auth = { user, pass: PASSPHRASE }
    const options = {
      host: '127.0.0.1',
      port: dovecot.imapPort,
      secure: false,
      doSTARTTLS: false,
      logger: false,
    } as const
    const client = new ImapFlow({ ...options, auth, disableAutoIdle: true })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  const imapBench = async (): Promise<ProviderBench & { readonly server: ImapServer }> => {
    const home = mkdtempSync(join(tmpdir(), 'imap-'))
    const user = `user${++users}`
    const server: ImapServer = {
      profile: 'store',
      host: '127.0.0.1',
      port: dovecot.imapPort,
      security: 'none',
      login: user,
      passphrase: PASSPHRASE,
    }
    const forwarded: { key: string; to: string; text: string }[] = []
    const build = (): MailboxProvider => {
      const all = createImapProvider({
        server: (profile) => (profile === 'store' ? server : undefined),
        hold: createHoldArea(join(home, 'hold')),
        clock: new FakeClock('2022-03-30T10:00:00Z'),
        forwarder: {
          forward: async (key, to, original) => {
            forwarded.push({ key, to, text: Buffer.from(original).toString() })
          },
        },
      })
      return all.forProfile?.('store') ?? all
    }
    const client = await open(user)
    const inFolder = async <T>(folder: string, work: () => Promise<T>): Promise<T> => {
      const lock = await client.getMailboxLock(folder)
      try {
        return await work()
      } finally {
        lock.release()
      }
    }
    const folders = async (): Promise<readonly string[]> =>
      (await client.list()).filter((f) => !f.flags.has('\\Noselect')).map((f) => f.path)
    /** Where the delivered copy is now. */
    const where = async (d: Delivery): Promise<{ readonly folder: string; readonly uid: string }> => {
      for (const folder of await folders()) {
        const uids = await inFolder(folder, () => client.search({ header: { received: d.receivedId } }, { uid: true }))
        if (uids && uids[0] !== undefined) return { folder, uid: `${uids[0]}` }
      }
      throw new Error(`${d.receivedId} is gone`)
    }
    const ensure = async (folder: string): Promise<string> => {
      const path = folder.replaceAll('.', '/')
      for (const name of (await client.list()).map((f) => f.delimiter).slice(0, 1)) {
        const own = path.replaceAll('/', name)
        await client.mailboxCreate(own)
        return own
      }
      return path
    }
    return {
      server,
      forwarded,
      provider: build(),
      restart: build,
      deliver: async ({ mid, recipient = RECIPIENT, text }) => {
        const id = `${mid}.${'0'.repeat(15)}${mid}`
        // The host behind us writes its own header on top of ours.
        const behind = 'Received: from mx by store.example.com with LMTP id qqq;\r\n Wed, 30 Mar 2022\r\n'
        const ours = `Received: from a by mx.example.com (Lychgate) with ESMTP id ${id};\r\n Wed, 30 Mar 2022\r\n`
        await client.append('INBOX', `${behind}${ours}${text}`, [], at)
        return {
          mid,
          rootMid: mid,
          rid: 0,
          recipient,
          direction: 'incoming',
          sender: 'a@x.example',
          messageId: /Message-ID: (.*)\r/.exec(text)?.[1] ?? null,
          subject: 'hello',
          deliveredAt: at,
          via: 'smtp',
          location: '127.0.0.1:25',
          sha256: sha256(text),
          receivedId: id,
        }
      },
      plant: async (_, text) => void (await client.append('INBOX', text, ['\\Seen'], at)),
      flag: async (d) => {
        const { folder, uid } = await where(d)
        await inFolder(folder, () => client.messageFlagsAdd(uid, ['\\Flagged', '\\Seen'], { uid: true }))
      },
      move: async (d, name) => {
        const { folder, uid } = await where(d)
        const to = await ensure(name)
        await inFolder(folder, () => client.messageMove(uid, to, { uid: true }))
      },
      copy: async (d, name) => {
        const { folder, uid } = await where(d)
        const to = await ensure(name)
        await inFolder(folder, () => client.messageCopy(uid, to, { uid: true }))
      },
      contents: async () => {
        // A session of its own: one that has a folder open may see what others expunged a while longer.
        const reader = await open(user)
        const all: string[] = []
        for (const folder of await folders()) {
          const lock = await reader.getMailboxLock(folder, { readOnly: true })
          for await (const m of reader.fetch('1:*', { source: true, flags: true }, { uid: true })) {
            const flags = [...(m.flags ?? [])].filter((f) => f !== '\\Recent').sort()
            all.push(`${folder}: ${flags.join()}: ${m.source?.toString()}`)
          }
          lock.release()
        }
        await reader.logout()
        return all
      },
      end: async () => {
        await client.logout()
        rmSync(home, { recursive: true, force: true })
      },
    }
  }

  runMailboxProviderSuite({
    newProvider: imapBench,
    skip: [
      { reason: 'this Dovecot has a mailbox for every name', tests: ['says whether it can open a mailbox'] },
      {
        reason: 'what is forwarded has the Received headers of the way on top',
        tests: ['forwards the bytes under one key, and leaves or deletes the copy as asked'],
      },
    ],
  })

  it('give up a copy that was put back once more', async () => {
    const bench = await imapBench()
    const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
    const found = []
    for await (const f of bench.provider.find(target, live)) found.push(f)
    const [first] = found
    if (!first) throw new Error('not found')
    const done = await bench.provider.remedy(first, { kind: 'delete' }, target, live)
    if (done.status !== 'done' || done.held === null) throw new Error('not held')
    await bench.provider.undo(done.held, target, live)
    expect(await bench.contents(RECIPIENT)).toHaveLength(1)
    const again = []
    for await (const f of bench.restart().find(target, live)) again.push(f)
    for (const f of again)
      expect((await bench.restart().remedy(f, { kind: 'delete' }, target, live)).status).toBe('done')
    expect(await bench.contents(RECIPIENT)).toEqual([])
    await bench.end()
  })

  it('go on with a deletion that a crash cut short between keeping and expunging', async () => {
    const bench = await imapBench()
    const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
    const home = mkdtempSync(join(tmpdir(), 'imap-hold-'))
    const hold = createHoldArea(home)
    const deps = { clock: new FakeClock('2022-03-30T10:00:00Z'), forwarder: { forward: () => Promise.resolve() } }
    const crash = new AbortController()
    const dying = createImapProvider({
      ...deps,
      server: () => bench.server,
      hold: {
        ...hold,
        put: async (...args) => {
          const held = await hold.put(...args)
          crash.abort(new Error('killed'))
          return held
        },
      },
    })
    const found = []
    for await (const f of bench.provider.find(target, live)) found.push(f)
    const [first] = found
    if (!first) throw new Error('not found')
    await expect(dying.forProfile?.('store').remedy(first, { kind: 'delete' }, target, crash.signal)).rejects.toThrow(
      'killed',
    )
    expect(await bench.contents(RECIPIENT)).toHaveLength(1)
    const next = createImapProvider({ ...deps, server: () => bench.server, hold }).forProfile?.('store')
    expect(await next?.remedy(first, { kind: 'delete' }, target, live)).toMatchObject({ status: 'done' })
    expect(await bench.contents(RECIPIENT)).toEqual([])
    expect(await next?.remedy(first, { kind: 'delete' }, target, live)).toMatchObject({ status: 'done' })
    rmSync(home, { recursive: true })
    await bench.end()
  })

  it('are not opened with a wrong passphrase, and the words hold none', async () => {
    const bench = await imapBench()
    const provider = createImapProvider({
      server: () => ({ ...bench.server, passphrase: 'wrong-passphrase' }),
      hold: createHoldArea(join(tmpdir(), 'none')),
      clock: new FakeClock('2022-03-30T10:00:00Z'),
      forwarder: { forward: () => Promise.resolve() },
    })
    const { ok, detail } = (await provider.forProfile?.('store').probe(RECIPIENT, live)) ?? { ok: true, detail: '' }
    expect([ok, detail]).toEqual([false, 'The IMAP server refused the login.'])
    await bench.end()
  })
})
