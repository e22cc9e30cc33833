import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { smtpAuth } from '../../../src/config/sections/smtp-auth.ts'
import { Fault } from '../../../src/core/errors.ts'
import { createSmtpUsers } from '../../../src/services/smtp-users.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { TestConfig } from '../../support/config-reader.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPathOptions } from '../../support/mail-path.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const asking = async (socket: Socket, line: string | null, end: RegExp): Promise<string> =>
  await new Promise((resolve) => {
    let text = ''
    const read = (d: Buffer): void => {
      text += d.toString('latin1')
      if (!end.test(text)) return
      socket.removeListener('data', read)
      resolve(text)
    }
    socket.on('data', read)
    if (line !== null) socket.write(`${line}\r\n`)
  })

const secured = async (options: MailPathOptions) => {
  const path = await mailPath({ ...options, listener: { smtpAuth: 'preferred', ...options.listener } })
  stops.push(path.stop)
  await path.smtp.start(path.config, new AbortController().signal)
  const plain = connect({ port: path.port(), host: '127.0.0.1' })
  stops.push(() => plain.destroy())
  await asking(plain, null, /220/)
  await asking(plain, 'EHLO x', /250 STARTTLS/)
  await asking(plain, 'STARTTLS', /220 2/)
  const socket = connectTls({ socket: plain, rejectUnauthorized: false })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const say = async (line: string): Promise<string> => await asking(socket, line, /^\d{3} .*\r\n$/m)
  await say('EHLO x')
  return { path, say }
}
const plainOf = (user: string, passphrase: string): string =>
  `AUTH PLAIN ${Buffer.from(`\0${user}\0${passphrase}`).toString('base64')}`

it('lets a user who has authenticated send to anybody, and tells so', async () => {
  const users: MailPathOptions['users'] = { check: async (name, pass) => name === 'ann' && pass === 'right' }
  const { path, say } = await secured({ users })
  expect(await say(plainOf('ann', 'wrong'))).toMatch(/^535/)
  expect(await say(plainOf('ann', 'right'))).toMatch(/^235/)
  await say('MAIL FROM:<ann@example.com>')
  expect(await say('RCPT TO:<x@anywhere.example>')).toMatch(/^250/)
  await say('DATA')
  expect(await say('Subject: x\r\n\r\nx\r\n.')).toMatch(/^250/)
  expect(path.spool.entry(1)).toMatchObject({ direction: 'outgoing' })
  expect(path.spool.entry(1)?.trace).toContain('with ESMTPSA id')
  expect(path.of('connection.auth')).toEqual([
    { type: 'connection.auth', icid: 1, user: 'ann', mechanism: 'PLAIN', ok: false },
    { type: 'connection.auth', icid: 1, user: 'ann', mechanism: 'PLAIN', ok: true },
  ])
})

it('says 454 when passphrases cannot be checked now', async () => {
  const busy = { check: () => Promise.reject(new Fault('STORE_BUSY', 'too many')) }
  const { path, say } = await secured({ users: busy })
  expect(await say(plainOf('ann', 'right'))).toMatch(/^454 4\.7\.0/)
  expect(path.of('connection.auth')).toEqual([])
})

it('makes an address that guesses wait, then does not look at it', async () => {
  const clock = new FakeClock()
  let looked = 0
  const passphrases = {
    hash: async (plain: string) => `hash of ${plain}`,
    verify: async (hash: string | null, plain: string) => {
      looked++
      return hash === `hash of ${plain}`
    },
  }
  const config = new TestConfig().set(smtpAuth, { users: [{ name: 'ann', passphrase: 'hash of right' }] })
  const users = createSmtpUsers({ config, clock, passphrases })
  const { signal } = new AbortController()
  const check = async (name: string, pass: string, address = '192.0.2.1'): Promise<boolean> => {
    const answer = users.check(name, pass, address, signal)
    await settle()
    await clock.advance(10_000)
    return await answer
  }
  expect(await check('ann', 'right')).toBe(true)
  expect(await check('nobody', 'right')).toBe(false)
  expect(await check('ann', 'x'.repeat(200))).toBe(false)
  expect(looked).toBe(2)
  for (let i = 0; i < 12; i++) await check('ann', 'guess')
  const before = looked
  expect(await check('ann', 'right')).toBe(false)
  expect(looked).toBe(before)
  expect(await check('ann', 'right', '198.51.100.7')).toBe(true)
})
