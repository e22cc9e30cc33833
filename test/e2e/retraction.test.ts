import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { delivered } from '../support/mailboxes.ts'
import { answers, freePort } from '../support/ports.ts'
import { ended, until } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const URL = 'http://parcels.example.net/choose/20220329'
const TO = 'user@example.com'
const MESSAGE = [
  'From: desk@parcels.example.net',
  `To: ${TO}`,
  'Subject: Your parcel',
  'Message-ID: <p1@example.net>',
  '',
]

/** A shared service of its own process, a gateway that speaks HTTPS with it, and a verdict that goes there and back. */
describe('a verdict that is taken back at a shared service', () => {
  let home: string
  let service: string
  let gateway: Serving
  let served: ChildProcess
  const ask = async (command: string): Promise<string> => {
    const { stdout, stderr, code } = await shell(home, ['-c', command])
    expect(`${code} ${stderr}`).toBe('0 ')
    return stdout
  }
  const operator = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr, code } = await shell(service, ['intel', ...words])
    expect(`${code} ${stderr}`).toBe('0 ')
    return stdout.trim()
  }

  beforeAll(async () => {
    home = freshHome()
    service = freshHome()
    const [port, intelPort] = [await freePort(), await freePort()]
    served = spawn(process.execPath, [
      ...[program, '--home', service, 'intel', 'serve', '--listen', `127.0.0.1:${intelPort}`],
    ])
    await until('the service answers', () => answers({ port: intelPort }), 20_000)
    const caFile = join(home, 'service-ca.pem')
    writeFileSync(caFile, await operator('ca'))
    const setUp = ['--hostname', 'mail.example.com', '--smtp', `127.0.0.1:${port}`, '--accept', 'example.com']
    const about = (await shell(home, [...setUp, '-c', 'version'])).stdout
    const secret = await operator('enrol', /Serial ?#?: *(\S+)/i.exec(about)?.[1] ?? '')
    const settings = [
      ...['urlretroservice enable', 'websecurityconfig', '', '', '', 'y', ''],
      ...['intelconfig', 'service', '', `https://127.0.0.1:${intelPort}`, caFile, '', secret, '', '', ''],
      ...['commit', '', '', ''],
    ]
    const { code, stdout, stderr } = await shell(home, ['--echo'], settings.join('\n'))
    expect(`${code} ${stdout} ${stderr}`).toMatch(/^0 [^]*Changes committed/)
    gateway = await serve(home, { port })
    const client = await SmtpClient.open(port)
    const bytes = Buffer.from([...MESSAGE, `Choose here: ${URL}`, ''].join('\r\n'))
    expect((await client.send({ from: 'desk@parcels.example.net', to: [TO] }, bytes)).code).toBe(250)
    await client.quit()
    await until('it is in the mailbox', () => delivered(home).length === 1)
    expect(await ask('urlretroservice poll')).toContain('URL verdict updates: 0')
    expect(await ask('urlretroservice status')).toContain('Connected')
  }, 120_000)
  afterAll(async () => {
    await gateway.stop()
    served.kill('SIGTERM')
    await ended(served)
    removeHome(home)
    removeHome(service)
  })

  it('first turns the URL: a list learns of it, and the message is taken out of the mailbox', async () => {
    const list = join(service, 'campaign.txt')
    writeFileSync(list, `${URL}\n`)
    expect(await operator('load', 'campaign', list)).toBe('1 indicators')
    expect(await ask('urlretroservice poll')).toContain('URL verdict updates: 1')
    await until('it is out of the mailbox', () => delivered(home).length === 0)
    // The service has hashes only; the gateway knows the URL again.
    expect(await ask('grep -e "Cloud retro response" ecs')).toContain(`'value': '${URL}'`)
  })

  it('is told with an alert, and what was deleted is offered, not put back by itself', async () => {
    await operator('unload', 'campaign')
    await ask('urlretroservice poll')
    expect(await ask('displayalerts')).toMatch(
      /The malicious verdict of BLOCKEDparcels\[\.\]example\[\.\]net\/choose\/20220329BLOCKED was withdrawn\.\s+Deleted\s+messages\s+that\s+can\s+be\s+put\s+back:\s+1\./,
    )
    expect(await ask('remediation list withdrawn')).toContain(TO)
    expect(delivered(home)).toEqual([])
  })

  it('puts it back, as it was, when the operator says so', async () => {
    await ask('remediation undo withdrawn')
    expect(delivered(home).map((m) => m.bytes.toString())).toEqual([expect.stringContaining(`Choose here: ${URL}`)])
    await ask('urlretroservice poll')
    expect(await ask('remediation list withdrawn')).not.toContain(TO)
  })
})
