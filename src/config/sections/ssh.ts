import * as v from 'valibot'
import { isIP } from 'node:net'
import { isAddressBlock } from '../address-block.ts'
import { defineSection } from '../section.ts'

/** What the server can be told to take: no SHA-1, no CBC, no arcfour, no group below 3072 bits. Strongest first. */
export const SSH_CIPHERS = [
  'aes256-gcm@openssh.com',
  'aes128-gcm@openssh.com',
  'aes256-ctr',
  'aes192-ctr',
  'aes128-ctr',
  'chacha20-poly1305@openssh.com',
] as const
export const SSH_MACS = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
] as const
export const SSH_KEX = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
] as const

const some = <const K extends readonly string[]>(words: K) => v.pipe(v.array(v.picklist(words)), v.minLength(1))
const count = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const blocks = v.array(
  v.pipe(
    v.string(),
    v.check((b) => isAddressBlock(b), 'not an address or block'),
  ),
)

/** `sshconfig`. */
export const ssh = defineSection({
  name: 'ssh',
  version: 1,
  schema: v.object({
    enabled: v.boolean(),
    address: v.pipe(
      v.string(),
      v.check((a) => isIP(a) !== 0, 'not an IP address'),
    ),
    /** 0 takes a free port (tests). */
    port: count(0, 65_535),
    ciphers: some(SSH_CIPHERS),
    macs: some(SSH_MACS),
    kex: some(SSH_KEX),
    /** Empty = from everywhere. */
    allowed: blocks,
    blocked: blocks,
    /** Connections that have not logged in, in all and from one address. */
    maxHalfOpen: count(1, 1000),
    maxHalfOpenPerAddress: count(1, 1000),
    maxSessionsPerUser: count(1, 1000),
  }),
  defaults: {
    enabled: false,
    address: '127.0.0.1',
    port: 2222,
    // chacha20-poly1305 is left out: it is what a client without strict key exchange loses to Terrapin (CVE-2023-48795).
    ciphers: SSH_CIPHERS.filter((c) => !c.startsWith('chacha20')),
    macs: [...SSH_MACS],
    kex: [...SSH_KEX],
    allowed: [],
    blocked: [],
    maxHalfOpen: 100,
    maxHalfOpenPerAddress: 10,
    maxSessionsPerUser: 20,
  },
})
export type SshSettings = (typeof ssh)['defaults']
