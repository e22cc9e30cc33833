import { isIP } from 'node:net'
import { addressBlock, inBlocks } from '../../../config/address-block.ts'
import { fingerprint, parsePublicKey } from '../../../config/public-key.ts'
import { SSH_CIPHERS, SSH_KEX, SSH_MACS, ssh } from '../../../config/sections/ssh.ts'
import type { SshSettings } from '../../../config/sections/ssh.ts'
import { BUILT_IN, users } from '../../../config/sections/users.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer, list, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { ADMINISTRATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'

const get = ({ draft }: Session): SshSettings => draft.get(ssh)
const set = (session: Session, part: Partial<SshSettings>): void => session.draft.set(ssh, { ...get(session), ...part })

const address: Field<string> = {
  parse: (text) =>
    isIP(text.trim()) === 0 ? fail('The value must be an IP address. (Ex: 192.168.1.1)') : ok(text.trim()),
  format: (a) => a,
}
const publicKey: Field<string> = {
  parse: (text) => {
    const key = parsePublicKey(text)
    return key.ok ? ok(text.trim()) : fail(key.error)
  },
  format: (key) => key,
}

const serverLines = (session: Session): readonly string[] => {
  const s = get(session)
  const running = session.appliance.ssh()
  return [
    'ssh server config settings:',
    `SSH server: ${s.enabled ? `enabled on ${s.address} port ${s.port}` : 'disabled'}`,
    'Public Key Authentication Algorithms:',
    ...[
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ].map(indent),
    'Cipher Algorithms:',
    ...s.ciphers.map(indent),
    'MAC Methods:',
    ...s.macs.map(indent),
    'KEX Algorithms:',
    ...s.kex.map(indent),
    'Minimum Client Key Size: 2048 (RSA)',
    `Sessions of one user: at most ${s.maxSessionsPerUser}`,
    ...(running === null ? [] : ['Host keys:', ...running.hostKeys.map((k) => indent(`${k.type} ${k.fingerprint}`))]),
  ]
}
const indent = (line: string): string => `        ${line}`

const server = async (session: Session): Promise<void> => {
  session.print(...serverLines(session))
  const operation = await session.ask.choose({ SETUP: 'Setup SSH server configuration settings' })
  if (operation === null) return
  const now = get(session)
  const enabled = await session.ask.confirm('Enable the SSH server?', now.enabled)
  if (!enabled) {
    set(session, { enabled })
    return
  }
  const { ask } = session
  set(session, {
    enabled,
    address: await ask.field('Enter the address to listen on; 0.0.0.0 is every address.', address, now.address),
    port: await ask.field('Enter the port.', integer(0, 65_535), now.port),
    ciphers: [
      ...(await ask.field('Enter the Cipher Algorithms you want to use', list(oneOf(SSH_CIPHERS)), now.ciphers)),
    ],
    macs: [...(await ask.field('Enter the MAC Methods you want to use', list(oneOf(SSH_MACS)), now.macs))],
    kex: [...(await ask.field('Enter the KEX Algorithms you want to use', list(oneOf(SSH_KEX)), now.kex))],
    maxSessionsPerUser: await ask.field(
      'How many sessions may one user have?',
      integer(1, 1000),
      now.maxSessionsPerUser,
    ),
  })
}

const keysOf = ({ draft }: Session, name: string): readonly string[] =>
  draft.get(users).accounts.find((u) => u.name === name)?.keys ?? []
const setKeys = (session: Session, name: string, keys: readonly string[]): void => {
  const value = session.draft.get(users)
  session.draft.set(users, {
    ...value,
    accounts: value.accounts.map((u) => (u.name === name ? { ...u, keys: [...keys] } : u)),
  })
}
const shown = (line: string): string => {
  const key = parsePublicKey(line)
  return key.ok ? `${key.value.type} ${fingerprint(key.value.blob)} ${printable(key.value.comment)}`.trimEnd() : '?'
}

const addKeys = async (session: Session, name: string): Promise<void> => {
  const question = 'Please enter the public SSH key for authorization.\nPress enter on a blank line to finish.'
  for (;;) {
    const line = await session.ask.optional(question, publicKey)
    if (line === null) return
    const same = keysOf(session, name).some((known) => shown(known) === shown(line))
    if (same) throw new UserError(`The key is installed for ${name} already.`)
    setKeys(session, name, [...keysOf(session, name), line])
  }
}

const userKeys = async (session: Session): Promise<void> => {
  let name = session.user.name
  if (!session.draft.get(users).accounts.some((u) => u.name === name)) name = BUILT_IN
  for (;;) {
    const keys = keysOf(session, name)
    session.print(`Currently installed keys for ${name}:`, ...keys.map((key, i) => `${i + 1}. ${shown(key)}`))
    const operation = await session.ask.choose({
      NEW: 'Add a new key.',
      USER: 'Switch to a different user to edit.',
      ...(keys.length === 0 ? {} : { DELETE: 'Remove a key.', PRINT: 'Display a key.' }),
    })
    if (operation === null) return
    if (operation === 'NEW') await addKeys(session, name)
    else if (operation === 'USER') {
      const names = session.draft.get(users).accounts.map((u) => u.name)
      name = await session.ask.pick(
        'Choose the user whose keys you want to edit:',
        names,
        (n) => n,
        names.indexOf(name),
      )
    } else {
      const key = await session.ask.pick(`Enter the number of the key to ${operation.toLowerCase()}:`, keys, shown, 0)
      if (operation === 'PRINT') session.print(printable(key), '')
      else
        setKeys(
          session,
          name,
          keys.filter((k) => k !== key),
        )
    }
  }
}

/** @throws UserError when the lists would keep out the very session that sets them. */
const keepIn = (session: Session, part: Pick<Partial<SshSettings>, 'allowed' | 'blocked'>): void => {
  const { allowed, blocked } = { ...get(session), ...part }
  const { origin } = session.terminal
  const out = inBlocks(blocked, origin) || (allowed.length > 0 && !inBlocks(allowed, origin))
  if (origin !== 'local' && out)
    throw new UserError(`The list would refuse ${origin}, from where you work; you would lock yourself out.`)
  set(session, part)
}

const access = async (session: Session): Promise<void> => {
  for (;;) {
    const { allowed, blocked } = get(session)
    session.print(allowed.length === 0 ? 'Allowed list: everywhere' : 'Allowed list:', ...allowed.map(indent))
    session.print(blocked.length === 0 ? 'Blocked list: none' : 'Blocked list:', ...blocked.map(indent))
    const which = await session.ask.choose({
      ALLOWED: 'Edit the addresses from which SSH is taken.',
      BLOCKED: 'Edit the addresses from which SSH is refused.',
    })
    if (which === null) return
    const now = which === 'ALLOWED' ? allowed : blocked
    const question = `Enter the addresses and blocks of addresses, separated by commas, or NONE.`
    const blocks = await session.ask.field(question, orNone, now)
    keepIn(session, which === 'ALLOWED' ? { allowed: [...blocks] } : { blocked: [...blocks] })
  }
}

const orNone: Field<readonly string[]> = {
  parse: (text) => (text.trim().toUpperCase() === 'NONE' ? ok([]) : list(addressBlock).parse(text)),
  format: (blocks) => (blocks.length === 0 ? 'NONE' : blocks.join(', ')),
}

export default defineCommand({
  name: 'sshconfig',
  summary: 'Configure SSH server and user key settings',
  description:
    'Turns the SSH server on or off, says where it listens and what it negotiates, holds the public keys of users, and ' +
    'the addresses from which SSH is taken. It acts at the commit; sessions that are open go on.',
  category: 'configure',
  roles: ADMINISTRATORS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      const operation = await session.ask.choose({
        SSHD: 'Edit SSH server settings.',
        USERKEY: 'Edit SSH User Key settings',
        'ACCESS CONTROL': 'Edit SSH allowed list/blocked list',
      })
      if (operation === null) return
      if (operation === 'SSHD') await server(session)
      else if (operation === 'USERKEY') await userKeys(session)
      else await access(session)
    }
  },
})
