import { linkSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findUser, giveAway, workAs } from '../../../src/main/privileges.ts'
import type { PrivilegeCalls } from '../../../src/main/privileges.ts'

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nmail:x:8:12:mail:/var/mail:/usr/sbin/nologin\n'
const homes: string[] = []
const home = (): string => {
  homes.push(mkdtempSync(join(tmpdir(), 'lychgate-privileges-')))
  return homes.at(-1) as string
}
afterEach(() => {
  for (const dir of homes.splice(0)) rmSync(dir, { recursive: true, force: true })
})
const recorder = (uid: number) => {
  const said: string[] = []
  let [real, effective] = [uid, uid]
  const calls: PrivilegeCalls = {
    getuid: () => real,
    geteuid: () => effective,
    initgroups: (user, group) => void said.push(`initgroups ${user} ${group}`),
    setegid: (id) => void said.push(`setegid ${id}`),
    seteuid: (id) => void said.push(`seteuid ${(effective = id)}`),
    setgid: (id) => void said.push(`setgid ${id}`),
    setuid: (id) => void said.push(`setuid ${(real = effective = id)}`),
  }
  return { said, calls }
}
const MAIL = { name: 'mail', uid: 8, gid: 12 }

describe('the user that the appliance works as', () => {
  it('is found by name, and is not root', () => {
    expect(findUser('mail', PASSWD)).toEqual(MAIL)
    expect(() => findUser('root', PASSWD)).toThrow('without privileges')
    expect(() => findUser('nobody-here', PASSWD)).toThrow("There is no user 'nobody-here'")
  })

  it('can be another one for root only', () =>
    expect(() => workAs(MAIL, home(), recorder(1000).calls)).toThrow('--user needs root'))

  it('is root for the binding of ports, and never again', async () => {
    const { said, calls } = recorder(0)
    const privileges = workAs(MAIL, home(), calls)
    expect(said.splice(0)).toEqual(['initgroups mail 12', 'setegid 12', 'seteuid 8'])
    await expect(privileges.asRoot(() => Promise.reject(new Error('in use')))).rejects.toThrow('in use')
    expect(said.splice(0)).toEqual(['seteuid 0', 'seteuid 8'])
    privileges.drop()
    expect(said.splice(0)).toEqual(['seteuid 0', 'initgroups mail 12', 'setgid 12', 'setuid 8'])
    expect(await privileges.asRoot(() => Promise.resolve(25))).toBe(25)
    expect(said).toEqual([])
  })

  it('says so when root could not be given up', () => {
    const { calls } = recorder(0)
    expect(() => workAs(MAIL, home(), { ...calls, setuid: () => undefined }).drop()).toThrow('could not be given up')
  })

  it.skipIf(process.getuid?.() !== 0)('gets what root owns, but no link and no second name of a file', () => {
    const dir = home()
    const outside = home()
    for (const name of ['own', 'shared']) writeFileSync(join(name === 'own' ? dir : outside, name), 'x')
    linkSync(join(outside, 'shared'), join(dir, 'shared'))
    symlinkSync(join(outside, 'shared'), join(dir, 'link'))
    giveAway(dir, MAIL)
    expect([statSync(dir).uid, statSync(join(dir, 'own')).uid, statSync(join(dir, 'own')).gid]).toEqual([8, 8, 12])
    expect(statSync(join(outside, 'shared')).uid).toBe(0)
  })
})
