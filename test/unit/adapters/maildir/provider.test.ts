import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMailboxWriter } from '../../../../src/adapters/maildir/deliver.ts'
import { createMaildirProvider } from '../../../../src/adapters/maildir/provider.ts'
import { readMessageId } from '../../../../src/core/message-id.ts'
import { maildirName, mailboxPath } from '../../../../src/core/mailbox-path.ts'
import type { MailboxProvider } from '../../../../src/remediation/ports.ts'
import type { Delivery } from '../../../../src/store/spool.ts'
import { RECIPIENT, mailText, runMailboxProviderSuite, sha256 } from '../../../contract/mailbox-provider.ts'
import type { ProviderBench } from '../../../contract/mailbox-provider.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const at = new Date('2022-03-30T00:00:00Z')
const live = new AbortController().signal

interface MaildirBench extends ProviderBench {
  readonly home: string
  box(recipient?: string): string
  path(delivery: Delivery): string
}

const maildirBench = async (): Promise<MaildirBench> => {
  const home = fs.mkdtempSync(join(tmpdir(), 'maildir-'))
  const mailboxes = join(home, 'mailboxes')
  const writer = createMailboxWriter(mailboxes)
  const forwarded: { key: string; to: string; text: string }[] = []
  let planted = 0
  const build = (): MailboxProvider =>
    createMaildirProvider({
      mailboxes,
      hold: join(home, 'hold'),
      clock: new FakeClock('2022-03-30T10:00:00Z'),
      forwarder: {
        forward: async (key, to, original) => {
          forwarded.push({ key, to, text: Buffer.from(original).toString() })
        },
      },
    })
  const box = (recipient = RECIPIENT): string => join(mailboxes, mailboxPath(recipient))
  const files = (recipient: string): readonly string[] =>
    fs
      .readdirSync(box(recipient), { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile() && ['new', 'cur'].includes(basename(e.parentPath)))
      .map((e) => join(e.parentPath, e.name))
      .sort()
  const path = (d: Delivery): string => {
    const hit = files(d.recipient).find((f) => basename(f).split(':')[0] === d.location)
    if (hit === undefined) throw new Error(`${d.location} is gone`)
    return hit
  }
  const folder = (recipient: string, name: string): string => {
    const target = join(box(recipient), `.${name}`, 'cur')
    fs.mkdirSync(target, { recursive: true })
    return target
  }
  return {
    home,
    box,
    path,
    forwarded,
    provider: build(),
    restart: build,
    deliver: async ({ mid, recipient = RECIPIENT, text }) => {
      const location = maildirName(at, mid, 0, 'mx.example.com')
      await writer.deliver(recipient, location, Buffer.from(text), false)
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
        via: 'maildir',
        location,
        sha256: sha256(text),
        receivedId: `${mid}.unseen`,
      }
    },
    plant: async (recipient, text) => {
      fs.writeFileSync(join(box(recipient), 'cur', `planted${++planted}:2,S`), text)
    },
    flag: async (d) => fs.renameSync(path(d), join(box(d.recipient), 'cur', `${d.location}:2,FS`)),
    move: async (d, name) => fs.renameSync(path(d), join(folder(d.recipient, name), basename(path(d)))),
    copy: async (d, name) => fs.copyFileSync(path(d), join(folder(d.recipient, name), 'another-name:2,S')),
    contents: async (recipient) =>
      files(recipient).map(
        (f) => `${dirname(f).slice(box(recipient).length)}: ${basename(f)}: ${fs.readFileSync(f, 'utf8')}`,
      ),
    end: async () => fs.rmSync(home, { recursive: true, force: true }),
  }
}

runMailboxProviderSuite({ newProvider: maildirBench })

describe('the Maildir provider', () => {
  let bench: MaildirBench
  let target: Delivery
  beforeEach(async () => {
    bench = await maildirBench()
    target = await bench.deliver({ mid: 1, text: mailText('<a@x>', 'bad') })
  })
  afterEach(() => bench.end())
  const find = async () => {
    const found = []
    for await (const f of bench.provider.find(target, live)) found.push(f)
    return found
  }
  const remove = async () => {
    const [found] = await find()
    if (!found) throw new Error('not found')
    return await bench.provider.remedy(found, { kind: 'delete' }, target, live)
  }

  it('keeps what it deletes in a hold area that only its owner can enter', async () => {
    const outcome = await remove()
    expect(outcome).toEqual({
      status: 'done',
      held: expect.stringMatching(/^2022-03-30\/M1R0-[0-9a-f]{24}$/) as string,
    })
    const held = join(bench.home, 'hold', '2022-03-30')
    expect(fs.statSync(held).mode & 0o777).toBe(0o700)
    const [key = ''] = fs.readdirSync(held)
    expect(fs.readFileSync(join(held, key, 'message'), 'utf8')).toBe(mailText('<a@x>', 'bad'))
  })

  it('follows no link that somebody planted: file, folder or mailbox', async () => {
    const outside = join(bench.home, 'outside')
    fs.mkdirSync(join(outside, 'cur'), { recursive: true })
    const secret = join(outside, 'cur', 'secret')
    fs.copyFileSync(bench.path(target), secret)
    fs.rmSync(bench.path(target))
    fs.symlinkSync(secret, join(bench.box(), 'new', target.location))
    fs.symlinkSync(outside, join(bench.box(), '.Planted'))
    fs.mkdirSync(join(bench.box(), '.Half'))
    fs.symlinkSync(join(outside, 'cur'), join(bench.box(), '.Half', 'cur'))
    expect(await find()).toEqual([])
    fs.renameSync(bench.box(), join(bench.home, 'elsewhere'))
    fs.symlinkSync(join(bench.home, 'elsewhere'), bench.box())
    expect((await bench.provider.probe(RECIPIENT, live)).ok).toBe(false)
    expect(await find()).toEqual([])
    expect(fs.readFileSync(secret, 'utf8')).toContain('bad')
  })

  it('takes a file with a second name only by its bytes', async () => {
    const other = join(bench.home, 'other-file')
    fs.writeFileSync(other, mailText('<a@x>', 'the mail of somebody else'))
    fs.rmSync(bench.path(target))
    fs.linkSync(other, join(bench.box(), 'new', target.location))
    expect(await find()).toMatchObject([{ confirmed: false }])
    fs.writeFileSync(other, mailText('<a@x>', 'bad'))
    expect(await find()).toMatchObject([{ confirmed: true, evidence: 'the delivered bytes' }])
  })

  it('finds a delivery without a Message-ID by the name of its file or our Received id, and no other mail', async () => {
    const received =
      'Received: from h (h [192.0.2.1])\r\n by mx.example.com (Lychgate) with ESMTP id 2.unseen;\r\n now\r\n'
    const text = `${received}Subject: no id\r\n\r\nbad\r\n`
    target = await bench.deliver({ mid: 2, text })
    expect(await find()).toMatchObject([{ confirmed: true, evidence: 'name of the delivered file' }])
    fs.renameSync(bench.path(target), join(bench.box(), 'cur', 'moved-by-a-reader:2,S'))
    fs.writeFileSync(join(bench.box(), 'cur', 'other'), 'Subject: no id\r\n\r\nbad\r\n')
    expect(await find()).toMatchObject([{ confirmed: true, evidence: 'id in our Received header' }])
    expect(await remove()).toMatchObject({ status: 'done' })
    expect(await find()).toEqual([])
    expect(fs.existsSync(join(bench.box(), 'cur', 'other'))).toBe(true)
  })

  it('is not held up by a FIFO in the mailbox', async () => {
    execFileSync('/bin/sh', ['-c', 'mkfifo "$0"', join(bench.box(), 'new', 'fifo')])
    expect(await find()).toHaveLength(1)
  })

  it('reads folded and 8-bit Message-IDs and headers without an end', async () => {
    for (const text of [
      'Subject: x\r\nMessage-ID:\r\n <folded@x>\r\n\r\nbody',
      'Subject: x\nMessage-Id: <folded@x>\n\nbody',
      'MESSAGE-ID: <folded@x>',
    ]) {
      fs.writeFileSync(bench.path(target), text)
      target = { ...target, messageId: '<folded@x>' }
      expect(await find()).toHaveLength(1)
    }
  })

  it('finds a message whose Message-ID is no UTF-8, or stands behind a header of any length', async () => {
    const raw = Buffer.from('Message-ID: <h\xe9@x>\r\n\r\nbody', 'latin1')
    fs.writeFileSync(bench.path(target), raw)
    // As the gateway reads it when it accepts the message.
    target = { ...target, messageId: readMessageId(' <h\xe9@x>') }
    expect(await find()).toMatchObject([{ confirmed: true }])
    fs.writeFileSync(
      bench.path(target),
      `${`X-Pad: ${'x'.repeat(900)}\r\n`.repeat(900)}Message-ID: <far@x>\r\n\r\nbody`,
    )
    target = { ...target, messageId: '<far@x>' }
    expect(await find()).toMatchObject([{ confirmed: true }])
  })

  it('leaves the copy of another delivery of the same message to that delivery', async () => {
    const text = mailText('<a@x>', 'bad', 'Received: by mx (Lychgate) with ESMTP id 1.abc;\r\n now\r\n')
    fs.writeFileSync(bench.path(target), text)
    target = { ...target, receivedId: '1.abc' }
    fs.writeFileSync(join(bench.box(), 'new', maildirName(at, 1, 1, 'mx.example.com')), text.replace('bad', 'BAD'))
    expect(await find()).toMatchObject([{ confirmed: true, evidence: 'name of the delivered file' }])
    await bench.copy(target, 'Copy')
    expect((await find()).filter((f) => f.confirmed)).toHaveLength(2)
  })

  it.each(['../../etc', '2022-03-30/../../x', '', '/etc', '2022-03-30/M1R0-zz'])(
    'puts nothing back from outside the hold area: %j',
    async (held) => {
      await remove()
      expect((await bench.provider.undo(held, target, live)).status).toBe('not-found')
    },
  )

  it('puts a message into the inbox when its folder is gone, and finishes an undo that a crash cut short', async () => {
    await bench.flag(target)
    await bench.move(target, 'Gone')
    const outcome = await remove()
    const held = outcome.status === 'done' ? (outcome.held ?? '') : ''
    fs.rmSync(join(bench.box(), '.Gone'), { recursive: true })
    const back = join(bench.box(), 'cur', `${target.location}:2,FS`)
    // As after a crash between the link and the clean-up.
    fs.linkSync(join(bench.home, 'hold', held, 'message'), back)
    expect((await bench.provider.undo(held, target, live)).status).toBe('done')
    expect(fs.statSync(back).nlink).toBe(1)
    expect(fs.readdirSync(join(bench.home, 'hold', '2022-03-30'))).toEqual([])
  })

  it('overwrites no other message when it puts one back', async () => {
    const name = basename(bench.path(target))
    const outcome = await remove()
    fs.writeFileSync(join(bench.box(), 'new', name), 'other')
    const undone = await bench.provider.undo(outcome.status === 'done' ? (outcome.held ?? '') : '', target, live)
    expect(undone).toMatchObject({ status: 'failed' })
    expect(fs.readFileSync(join(bench.box(), 'new', name), 'utf8')).toBe('other')
  })

  it('goes on after a crash between writing the origin and moving the message', async () => {
    const [found] = await find()
    if (!found) throw new Error('not found')
    const first = await bench.provider.remedy(found, { kind: 'delete' }, target, live)
    const held = first.status === 'done' ? (first.held ?? '') : ''
    fs.renameSync(join(bench.home, 'hold', held, 'message'), join(bench.box(), 'new', target.location))
    expect(await bench.restart().remedy(found, { kind: 'delete' }, target, live)).toEqual({ status: 'done', held })
    expect(await find()).toEqual([])
  })
})
