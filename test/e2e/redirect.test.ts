import { request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { delivered } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const TARGET = 'http://shop.example.net/offer?id=7'
const NAME = 'links.example.com'

/** A link of a message, rewritten by a filter and followed over HTTPS: judged at the click, told to the administrator. */
describe('a link that leads to the redirect service', () => {
  let home: string
  let gateway: Serving
  let links: number
  let path = ''
  const ask = async (command: string): Promise<string> => {
    const { stdout, stderr, code } = await shell(home, ['-c', command])
    expect(`${code} ${stderr}`).toBe('0 ')
    return stdout
  }
  const follow = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      // Its certificate is its own.
      const options = { host: '127.0.0.1', port: links, path, servername: NAME, rejectUnauthorized: false }
      const asked = request(options, (answer) => {
        answer.resume()
        resolve(answer)
      })
      asked.once('error', reject).setTimeout(10_000, () => asked.destroy(new Error('no answer')))
      asked.end()
    })

  beforeAll(async () => {
    home = freshHome()
    links = await freePort()
    const port = await freePort()
    const settings = [
      ...['filters new', 'links: if true { url-no-reputation-proxy-redirect("", 1); }', '.'],
      `redirectconfig port ${links}`,
      `redirectconfig baseurl https://${NAME}:${links}`,
      'redirectconfig enable',
      'commit "links" N',
    ]
    const made = await shell(
      home,
      ['--hostname', 'mail.example.com', '--smtp', `127.0.0.1:${port}`],
      `${settings.join('\n')}\n`,
    )
    expect(`${made.code} ${made.stdout}${made.stderr}`).toMatch(/^0 /)
    gateway = await serve(home, { port })
  })
  afterAll(async () => {
    await gateway.stop()
    removeHome(home)
  })

  it('stands in the delivered message in place of the URL', async () => {
    const client = await SmtpClient.open(gateway.port)
    const message = `Subject: An offer\r\nMessage-ID: <offer@x>\r\n\r\nSee ${TARGET} today.\r\n`
    const answer = await client.send({ from: 'a@sender.example.net', to: ['ann@example.com'] }, Buffer.from(message))
    expect(answer.code).toBe(250)
    client.close()
    await until('it is in the mailbox', () => delivered(home).length === 1)
    const text = delivered(home)[0]?.bytes.toString() ?? ''
    const link = new RegExp(`See https://${NAME}:${links}(/u/\\S+) today`).exec(text)
    path = link?.[1] ?? ''
    expect(path).not.toBe('')
    expect(text).not.toContain('shop.example.net')
  })

  it('asks first while nothing is known, goes on when the URL is good, and is shut when it turns malicious', async () => {
    expect((await follow()).statusCode).toBe(200)
    await ask(`intelconfig set ${TARGET} clean`)
    const good = await follow()
    expect([good.statusCode, good.headers.location]).toEqual([302, TARGET])
    await ask(`intelconfig set ${TARGET} malicious`)
    const bad = await follow()
    expect([bad.statusCode, bad.headers.location]).toEqual([403, undefined])
  })

  it('tells every click under its message', async () => {
    const told = await ask('grep clicked mail_logs')
    for (const outcome of ['asked before going on', 'redirected', 'blocked'])
      expect(told).toMatch(
        new RegExp(`MID \\d+ URL .*shop\\[\\.\\]example\\[?\\.?\\]?net.* clicked from 127\\.0\\.0\\.1: ${outcome}`),
      )
    expect(await ask('findevent -m 1 mail_logs')).toContain('clicked from 127.0.0.1: blocked')
  })
})
