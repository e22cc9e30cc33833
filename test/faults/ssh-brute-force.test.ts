import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shell } from '../support/appliance.ts'
import { noOpenSsh } from '../support/openssh.ts'
import type { OpenSsh } from '../support/openssh.ts'
import { openSshGateway } from '../support/ssh-gateway.ts'
import type { SshGateway } from '../support/ssh-gateway.ts'

const why = noOpenSsh()
const PASSPHRASE = 'Snow-fall-2022'
const TRIES = 6
const GUESSES = 1000
const LIMIT_MS = 2000
/** More than an address may have by default (10): the attack is to be over within a minute, for all the waiting. */
const AT_ONCE = 100

describe.skipIf(why !== null)(`${GUESSES} wrong passphrases${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let opened: SshGateway
  let home: string
  let port: number
  let client: OpenSsh
  beforeAll(async () => {
    opened = await openSshGateway()
    ;({ home, port, client } = opened)
    const key = await client.key('anna', '-t', 'ed25519')
    const people = ['userconfig', 'new', 'anna', 'Anna Example', '1', 'n', PASSPHRASE, PASSPHRASE, '']
    const script = [...people, 'sshconfig', 'userkey', 'user', '2', 'new', key, '', '', '', 'commit "people" N']
    await does(`${script.join('\n')}\nsaveconfig n 2 now.xml\n`)
    const file = join(home, 'configuration/now.xml')
    const wider = readFileSync(file, 'utf8').replace(/(<max_half_open\w*>)\d+/g, '$1500')
    writeFileSync(file, wider)
    await does('loadconfig\n2\nnow.xml\ncommit "wide" N\n')
  }, 60_000)
  afterAll(async () => {
    await opened.close()
  })

  const does = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await shell(home, [], script)
    expect(`${code} ${stdout}${stderr}`).toMatch(/^0 /)
    return stdout
  }

  /** One connection of the attacker, which guesses as often as it may. Answers how often it was refused. */
  const attack = (next: () => string | null): Promise<{ readonly refused: number; readonly came: boolean }> =>
    new Promise((resolve) => {
      const connection = new ssh2.Client()
      let asked = 0
      let came = false
      const password = (): ssh2.PasswordAuthMethod | false => {
        // The server ends a connection at its seventh try.
        if (asked >= TRIES) return false
        const guess = next()
        if (guess === null) return false
        asked++
        return { type: 'password', username: 'anna', password: guess }
      }
      connection.on('ready', () => {
        came = true
        connection.end()
      })
      connection.on('error', () => undefined)
      connection.on('close', () => resolve({ refused: asked, came }))
      connection.connect({
        host: '127.0.0.1',
        port,
        username: 'anna',
        readyTimeout: 60_000,
        authHandler: (_left, _partial, callback) => callback(password() as ssh2.AnyAuthMethod),
      })
    })

  it('neither get in nor keep another administrator out, and are told of', async () => {
    let left = GUESSES
    let refused = 0
    let came = 0
    // The right one is among the last: from an address that is shut out it is worth nothing.
    const next = (): string | null => (left <= 0 ? null : --left < 50 ? PASSPHRASE : `Wrong-guess-${left}`)
    const attackers = Array.from({ length: AT_ONCE }, async (_, i) => {
      // Key exchanges of a hundred at the same moment would measure this machine's processor and nothing else.
      await new Promise((resolve) => setTimeout(resolve, i * 40))
      while (left > 0) {
        const outcome = await attack(next)
        refused += outcome.refused
        if (outcome.came) came++
      }
    })
    let over = false
    const attacked = Promise.all(attackers).then(() => {
      over = true
    })
    const times: Record<'key' | 'passphrase', number[]> = { key: [], passphrase: [] }
    const args = ['-b', '127.0.0.2']
    for (let i = 0; i < 10 && !over; i++)
      for (const how of ['key', 'passphrase'] as const) {
        const since = performance.now()
        const credential = how === 'key' ? { key: 'anna' } : { passphrase: PASSPHRASE }
        const { code, stdout } = await client.ssh({ user: 'anna', ...credential, args, words: 'whoami' })
        times[how].push(Math.round(performance.now() - since))
        expect(`${code} ${stdout}`).toMatch(/^0 [^]*Username: anna/)
      }
    await attacked
    process.stdout.write(`\nlogins from 127.0.0.2 meanwhile, ms: ${JSON.stringify(times)}\n`)
    expect(times.key.length + times.passphrase.length).toBeGreaterThanOrEqual(6)
    expect(Math.max(...times.key, ...times.passphrase)).toBeLessThan(LIMIT_MS)
    expect({ came, enough: refused >= GUESSES }).toEqual({ came: 0, enough: true })
    const log = await does('grep "from 127.0.0.1 " authentication\n')
    expect(log.match(/An authentication attempt by the user anna from 127\.0\.0\.1 failed/g)?.length).toBe(GUESSES)
    expect(log).toMatch(/Passphrases from 127\.0\.0\.1 are refused for 60 seconds after 10 failed attempts/)
    expect(log).not.toContain('successfully')
    expect(await does('last\n')).toMatch(new RegExp(`anna +127\\.0\\.0\\.1 .*refused, ${GUESSES} times`))
  }, 120_000)
})
