import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Found, MailboxProvider } from '../../src/remediation/ports.ts'
import type { Delivery } from '../../src/store/spool.ts'

/** What the suite needs of a mailbox besides the provider: to put mail in, and to look. */
export interface ProviderBench {
  readonly provider: MailboxProvider
  /** Delivers as the gateway does, and gives what the ledger would hold. */
  deliver(mail: { readonly mid: number; readonly recipient?: string; readonly text: string }): Promise<Delivery>
  /** Bytes that somebody else put there, with or without one of our headers. */
  plant(recipient: string, text: string): Promise<void>
  /** The user's own doings with the delivered copy. */
  flag(delivery: Delivery): Promise<void>
  move(delivery: Delivery, folder: string): Promise<void>
  copy(delivery: Delivery, folder: string): Promise<void>
  /** `folder: flags: text` of every message of the mailbox. */
  contents(recipient: string): Promise<readonly string[]>
  readonly forwarded: readonly { readonly key: string; readonly to: string; readonly text: string }[]
  /** The same mailboxes and hold area, a new process. */
  restart(): MailboxProvider
  end(): Promise<void>
}

const live = new AbortController().signal
export const RECIPIENT = 'user@example.com'
export const mailText = (messageId: string, body: string, received = ''): string =>
  `${received}Message-ID: ${messageId}\r\nSubject: hello\r\n\r\n${body}\r\n`

const all = async (provider: MailboxProvider, target: Delivery): Promise<readonly Found[]> => {
  const found: Found[] = []
  for await (const f of provider.find(target, live)) found.push(f)
  return found
}
const REMOVE = { kind: 'delete' } as const

/** Every kind of mailbox keeps these. */
export const runMailboxProviderSuite = (options: {
  readonly newProvider: () => Promise<ProviderBench>
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[]
}): void => {
  const skipped = new Set(options.skip?.flatMap((s) => s.tests))
  const test = (name: string, run: () => Promise<void>): void => it.skipIf(skipped.has(name))(name, run)

  describe('a mailbox provider', () => {
    let bench: ProviderBench
    beforeEach(async () => {
      bench = await options.newProvider()
    })
    afterEach(() => bench.end())
    const remove = async (target: Delivery, found?: readonly Found[]): Promise<readonly string[]> => {
      const held: string[] = []
      for (const f of found ?? (await all(bench.provider, target)).filter((c) => c.confirmed)) {
        const outcome = await bench.provider.remedy(f, REMOVE, target, live)
        if (outcome.status === 'done' && outcome.held !== null) held.push(outcome.held)
      }
      return held
    }

    test('says whether it can open a mailbox', async () => {
      await bench.deliver({ mid: 1, text: mailText('<a@x>', 'one') })
      expect((await bench.provider.probe(RECIPIENT, live)).ok).toBe(true)
      expect((await bench.provider.probe('nobody@example.com', live)).ok).toBe(false)
    })

    test('finds the delivered copy and deletes only that', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'one') })
      await bench.deliver({ mid: 2, text: mailText('<b@x>', 'two') })
      expect(await all(bench.provider, target)).toMatchObject([{ mailbox: RECIPIENT, confirmed: true }])
      await remove(target)
      expect(await bench.contents(RECIPIENT)).toEqual([expect.stringContaining('two')])
    })

    test('finds nothing for another Message-ID, also when one contains the other or differs in case', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<abc@x>', 'one') })
      for (const messageId of ['<bc@x>', '<ABC@x>', '<abc@x', '<abc@x>>', 'abc@x'])
        expect(await all(bench.provider, { ...target, messageId })).toEqual([])
      expect(await all(bench.provider, { ...target, messageId: null })).toEqual([])
    })

    test('does not confirm another message that chose the same Message-ID', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      await bench.deliver({ mid: 2, text: mailText('<a@x>', 'good') })
      await bench.plant(RECIPIENT, mailText('<a@x>', 'older'))
      const found = await all(bench.provider, target)
      expect(found.filter((f) => f.confirmed)).toHaveLength(1)
      expect(found.filter((f) => !f.confirmed)).toHaveLength(2)
      await remove(target)
      expect((await bench.contents(RECIPIENT)).join()).toMatch(/good.*older|older.*good/s)
    })

    test('refuses to touch what is not confirmed', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      const [found] = await all(bench.provider, target)
      if (!found) throw new Error('not found')
      const outcome = await bench.provider.remedy({ ...found, confirmed: false }, REMOVE, target, live)
      expect(outcome.status).toBe('failed')
      expect(await bench.contents(RECIPIENT)).toHaveLength(1)
    })

    test('confirms by our topmost Received header, and not by one that the sender wrote below it', async () => {
      const ours = 'Received: from a ([192.0.2.1]) by mx with ESMTP id 1.00ff00ff00ff00ff;\r\n Wed, 30 Mar 2022\r\n'
      const other = 'Received: from a ([192.0.2.1]) by mx with ESMTP id 2.1111111111111111;\r\n Wed, 30 Mar 2022\r\n'
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad', ours) })
      await remove(target)
      await bench.plant(RECIPIENT, mailText('<a@x>', 'bad, with a footer of the list', ours))
      await bench.plant(RECIPIENT, mailText('<a@x>', 'forged', other + ours))
      const found = await all(bench.provider, { ...target, receivedId: '1.00ff00ff00ff00ff' })
      expect(found.map((f) => f.confirmed).sort()).toEqual([false, true])
    })

    test('finds the copy that the user read, flagged, moved or copied', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      await bench.flag(target)
      await bench.copy(target, 'Saved')
      await bench.move(target, 'Archive.2022')
      const found = await all(bench.provider, target)
      expect(found.map((f) => [f.folder, f.confirmed]).sort()).toEqual([
        ['Archive/2022', true],
        ['Saved', true],
      ])
      await remove(target)
      expect(await bench.contents(RECIPIENT)).toEqual([])
    })

    test('follows a copy that is flagged and moved between look and touch', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      const found = await all(bench.provider, target)
      await bench.flag(target)
      await bench.move(target, 'Archive')
      expect(await remove(target, found)).toHaveLength(1)
      expect(await bench.contents(RECIPIENT)).toEqual([])
    })

    test('answers a second call for the same copy without acting again, also after a restart', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      const found = await all(bench.provider, target)
      const [held] = await remove(target, found)
      const again = bench.restart()
      for (const f of found) expect(await again.remedy(f, REMOVE, target, live)).toEqual({ status: 'done', held })
      expect(await all(again, target)).toEqual([])
    })

    test('says not-found for a copy that the user deleted', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      const [found] = await all(bench.provider, target)
      await remove({ ...target, mid: 99 }, found ? [found] : [])
      if (!found) throw new Error('not found')
      expect((await bench.provider.remedy(found, REMOVE, target, live)).status).toBe('not-found')
    })

    test('puts a message back into its folder with its flags', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      await bench.flag(target)
      await bench.move(target, 'Archive')
      const before = await bench.contents(RECIPIENT)
      const [held = ''] = await remove(target)
      expect(await bench.contents(RECIPIENT)).toEqual([])
      expect((await bench.provider.undo(held, target, live)).status).toBe('done')
      expect(await bench.contents(RECIPIENT)).toEqual(before)
      expect((await bench.provider.undo(held, target, live)).status).toBe('not-found')
      expect((await all(bench.provider, target))[0]?.confirmed).toBe(true)
    })

    test('keeps a held message until its retention ends', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      const [held = ''] = await remove(target)
      expect(await bench.provider.pruneHeld(new Date('2022-03-30T12:00:00Z'))).toBe(0)
      expect(await bench.provider.pruneHeld(new Date('2022-03-31T00:00:00Z'))).toBe(1)
      expect((await bench.provider.undo(held, target, live)).status).toBe('not-found')
    })

    test('forwards the bytes under one key, and leaves or deletes the copy as asked', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      const [found] = await all(bench.provider, target)
      if (!found) throw new Error('not found')
      const forward = { kind: 'forward', to: 'soc@example.com', thenDelete: false } as const
      await bench.provider.remedy(found, forward, target, live)
      await bench.provider.remedy(found, forward, target, live)
      expect(new Set(bench.forwarded.map((f) => f.key)).size).toBe(1)
      expect(bench.forwarded[0]).toMatchObject({ to: 'soc@example.com', text: mailText('<a@x>', 'bad') })
      expect(await bench.contents(RECIPIENT)).toHaveLength(1)
      await bench.provider.remedy(found, { ...forward, thenDelete: true }, target, live)
      expect(await bench.contents(RECIPIENT)).toEqual([])
    })

    test('stops at the signal', async () => {
      const target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
      const gone = AbortSignal.abort(new Error('stopped'))
      await expect(
        (async () => {
          for await (const f of bench.provider.find(target, gone)) expect(f).toBeDefined()
        })(),
      ).rejects.toThrow('stopped')
    })
  })
}

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')
