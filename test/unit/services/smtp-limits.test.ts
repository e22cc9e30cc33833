import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { plainPolicy } from '../../../src/config/sections/host-access.ts'
import type { MailFlowPolicy } from '../../../src/config/sections/host-access.ts'
import { receiving } from '../../../src/config/sections/receiving.ts'
import { senderExceptions } from '../../../src/config/sections/sender-exceptions.ts'
import { Fault } from '../../../src/core/errors.ts'
import { senderException } from '../../../src/mail/smtp/sender-exception.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { mailPath, noDns } from '../../support/mail-path.ts'
import type { MailPathOptions } from '../../support/mail-path.ts'
import { SmtpClient } from '../../support/smtp-client.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
type Path = Awaited<ReturnType<typeof mailPath>>
const under = (policy: Partial<MailFlowPolicy>): MailPathOptions => ({
  listener: {
    hostAccess: { policies: [{ ...plainPolicy('P', 'ACCEPT'), ...policy }], groups: [], otherwise: '$P' },
  },
})
const started = async (options: MailPathOptions, prepare?: (path: Path) => void): Promise<Path> => {
  const path = await mailPath(options)
  stops.push(path.stop)
  prepare?.(path)
  await path.smtp.start(path.config, new AbortController().signal)
  return path
}
const opened = async (port: number): Promise<SmtpClient> => {
  const client = await SmtpClient.open(port)
  stops.push(() => client.close())
  return client
}
/** Says it at once, and hears the conversation to its end. */
const blurt = async (port: number, text: string): Promise<string> => {
  const socket: Socket = connect({ port, host: '127.0.0.1' })
  stops.push(() => socket.destroy())
  socket.write(text)
  let heard = ''
  return await new Promise((resolve) => {
    socket.on('data', (d: Buffer) => (heard += d.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(heard))
  })
}

it('a client waits for message ids that are being reserved, and hears 451 only when there are none then', async () => {
  let last = 0
  let left = 2
  const path = await started({
    ids: {
      next: (kind) => {
        if (kind === 'mid' && left-- <= 0) throw new Fault('STORE_BUSY', 'no MID is reserved')
        return ++last
      },
      more: async () => {
        left = last < 4 ? 1 : 0
        await Promise.resolve()
      },
      current: () => last,
    },
  })
  const heard = await blurt(path.port(), `EHLO x\r\n${'MAIL FROM:<>\r\nRSET\r\n'.repeat(4)}QUIT\r\n`)
  expect(heard.match(/^(?:250 2\.1\.0|451) /gm)).toEqual(['250 2.1.0 ', '250 2.1.0 ', '250 2.1.0 ', '451 '])
})

describe('a client that talks before the greeting', () => {
  const TALK = 'EHLO x\r\nQUIT\r\n'
  const slow: MailPathOptions['resolver'] = { ...noDns, reverse: () => Promise.reject(new Error('no')) }

  it('is refused where the policy says so, and logged', async () => {
    const path = await started({ ...under({ earlyTalker: 'reject' }), resolver: slow })
    expect(await blurt(path.port(), TALK)).toMatch(
      /^554 5\.5\.1 mail\.example\.com you talked before the greeting\r\n$/,
    )
    expect(path.of('connection.early-talker')).toEqual([
      { type: 'connection.early-talker', icid: 1, bytes: TALK.length, rejected: true },
    ])
    expect(path.of('connection.closed')).toHaveLength(1)
  })

  it('is logged and served by default', async () => {
    const path = await started({})
    expect(await blurt(path.port(), TALK)).toMatch(/^220 [^]*250 [^]*221 /)
    expect(path.of('connection.early-talker')).toMatchObject([{ rejected: false }])
  })

  it('is not looked for where the policy accepts it', async () => {
    const path = await started(under({ earlyTalker: 'accept' }))
    expect(await blurt(path.port(), TALK)).toMatch(/^220 [^]*221 /)
    expect(path.of('connection.early-talker')).toEqual([])
  })

  it('is nobody who waits, whatever the policy', async () => {
    const path = await started(under({ earlyTalker: 'reject' }))
    const client = await opened(path.port())
    expect((await client.send({ from: '', to: ['c@example.com'] }, Buffer.from('x\r\n'))).code).toBe(250)
    expect(path.of('connection.early-talker')).toEqual([])
  })
})

describe('directory harvest prevention', () => {
  it('closes the connection that goes above the limit, over all connections of the address', async () => {
    const path = await started(under({ maxInvalidRecipients: 2 }))
    const first = await opened(path.port())
    await first.command('MAIL FROM:<a@b.example>', 250)
    await first.command('RCPT TO:<x@other.example>', 550)
    await first.command('RCPT TO:<ok@example.com>', 250)
    const second = await opened(path.port())
    await second.command('MAIL FROM:<a@b.example>', 250)
    await second.command('RCPT TO:<y@other.example>', 550)
    expect((await second.command('RCPT TO:<z@other.example>', 550)).text).toContain('5.7.1 too many invalid recipients')
    await path.until('connection.closed')
    expect(path.of('connection.harvest')).toMatchObject([
      { icid: 2, remoteAddress: '127.0.0.1', sender: 'a@b.example', recipients: 0, dropped: true },
    ])
    // Who is a recipient is still one.
    await first.command('RCPT TO:<ok2@example.com>', 250)
  })

  it('answers the words of the policy, and goes on when it does not drop', async () => {
    const path = await started(
      under({ maxInvalidRecipients: 1, harvestDrop: false, harvestCode: 450, harvestText: 'not so fast' }),
    )
    const client = await opened(path.port())
    await client.command('MAIL FROM:<a@b.example>', 250)
    await client.command('RCPT TO:<x@other.example>', 550)
    expect((await client.command('RCPT TO:<y@other.example>', 450)).text).toContain('not so fast')
    await client.command('RCPT TO:<z@other.example>', 450)
    await client.command('NOOP', 250)
    expect(path.of('connection.harvest')).toHaveLength(1)
    expect(path.of('message.recipient-rejected').map((e) => e.by)).toEqual([
      'RAT',
      'Receiving Control',
      'Receiving Control',
    ])
  })

  it('is off with 0', async () => {
    const path = await started(under({ maxInvalidRecipients: 0 }))
    const client = await opened(path.port())
    await client.command('MAIL FROM:<a@b.example>', 250)
    for (let i = 0; i < 40; i++) await client.command(`RCPT TO:<x${i}@other.example>`, 550)
    expect(path.of('connection.harvest')).toEqual([])
  })
})

describe('the exception table', () => {
  const entry = (address: string, action: 'allow' | 'reject', code = 553, text = '') => ({
    address,
    action,
    code,
    text,
  })

  it('lets senders in and refuses them, whatever DNS says', async () => {
    const path = await started(under({ senderVerification: true, exceptionTable: true }), ({ config }) =>
      config.set(senderExceptions, [entry('known.example', 'allow'), entry('bad@known.example', 'reject', 550, 'no')]),
    )
    const client = await opened(path.port())
    await client.command('MAIL FROM:<a@nowhere.example>', 553)
    expect((await client.command('MAIL FROM:<bad@known.example>', 550)).text).toContain('no')
    await client.command('MAIL FROM:<a@KNOWN.example>', 250)
    expect(path.of('connection.sender-exception').map((e) => e.allowed)).toEqual([false, true])
  })

  it('answers with the entry that says most', () => {
    const table = ['.example', 'b.example', 'a@', 'a@b.example', '@c.example'].map((a) => entry(a, 'allow'))
    const of = (sender: string) => senderException(table, sender)?.address
    expect([of('A@B.example'), of('x@b.example'), of('a@d.org'), of('x@y.example'), of('q@c.example')]).toEqual([
      'a@b.example',
      'b.example',
      'a@',
      '.example',
      '@c.example',
    ])
    expect([of(''), of('x@d.org')]).toEqual([undefined, undefined])
  })
})

describe('limits of listenerconfig setup', () => {
  it('close a connection that is open for too long, between messages', async () => {
    const clock = new FakeClock()
    const path = await started({ clock }, ({ config }) =>
      config.set(receiving, { ...receiving.defaults, totalSeconds: 60 }),
    )
    const client = await opened(path.port())
    await clock.advance(40_000)
    await client.command('MAIL FROM:<>', 250)
    await clock.advance(40_000)
    expect(path.of('connection.expired')).toEqual([])
    await client.command('RSET', 250)
    await clock.advance(10_000)
    await path.until('connection.closed')
    expect(path.of('connection.expired')).toEqual([{ type: 'connection.expired', icid: 1, remoteAddress: '127.0.0.1' }])
  })

  it('refuse a line that is too long, and TLS above its number of connections', async () => {
    const path = await started({}, ({ config }) =>
      config.set(receiving, { ...receiving.defaults, maxLineBytes: 998, maxTlsConcurrency: 1 }),
    )
    const client = await opened(path.port())
    const line = (n: number): Buffer => Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(n - 2)}\r\nz\r\n`)
    expect((await client.send({ from: '', to: ['c@example.com'] }, line(998))).code).toBe(250)
    expect((await client.send({ from: '', to: ['c@example.com'] }, line(999))).code).toBe(552)
    const holder = await opened(path.port())
    await holder.command('STARTTLS', 220)
    await client.command('STARTTLS', 454)
  })

  it('refuse a header above 1 MB, also where it is one field in folded lines', async () => {
    const path = await started({})
    const client = await opened(path.port())
    const message = (folds: number): Buffer =>
      Buffer.from(`Subject: x\r\nX: y\r\n${` ${'z'.repeat(97)}\r\n`.repeat(folds)}\r\nb\r\n`)
    expect((await client.send({ from: '', to: ['c@example.com'] }, message(10_000))).code).toBe(250)
    const refused = await client.send({ from: '', to: ['c@example.com'] }, message(11_700))
    expect(`${refused.code} ${refused.text}`).toBe('552 5.3.4 the header has too many fields or bytes')
  })

  it('give a message without a Message-ID one', async () => {
    const path = await started({}, ({ config }) => config.set(receiving, { ...receiving.defaults, addMessageId: true }))
    const client = await opened(path.port())
    await client.send({ from: '', to: ['c@example.com'] }, Buffer.from('Subject: x\r\n\r\nx\r\n'))
    await client.send({ from: '', to: ['c@example.com'] }, Buffer.from('Message-ID: <a@b>\r\n\r\nx\r\n'))
    const [first, second] = [path.spool.entry(1), path.spool.entry(2)]
    expect(first?.messageId).toMatch(/^<1\.[0-9a-f]{16}@mail\.example\.com>$/)
    expect(first?.trace).toMatch(new RegExp(`\\r\\nMessage-ID: ${first?.messageId?.replaceAll('.', '\\.')}\\r\\n$`))
    expect(second?.messageId).toBe('<a@b>')
    expect(second?.trace).not.toContain('Message-ID')
  })
})

describe('a connection that cannot be taken', () => {
  it.each([
    [new Fault('STORE_BUSY', 'no ICID is reserved'), 'STORE_BUSY', /^421 4\.3\.1 mail\.example\.com has no room/],
    [new TypeError('undefined is not a function'), 'INTERNAL', /^421 4\.3\.0 mail\.example\.com has a problem/],
  ])('hears why in general, and the log why in particular: %s', async (error, code, words) => {
    const path = await mailPath({
      ids: {
        next: () => {
          throw error
        },
        more: () => Promise.resolve(),
        current: () => 0,
      },
    })
    stops.push(path.stop)
    await path.smtp.start(path.config, new AbortController().signal)
    expect(await blurt(path.port(), '')).toMatch(words)
    expect(await blurt(path.port(), '')).toMatch(words)
    // Once a minute: a full disk meets every client.
    expect(path.of('system.fault')).toMatchObject([{ code, where: 'SMTP connection', error: error.message }])
  })
})
