import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { parsePublicKey } from '../public-key.ts'
import { defineSection, secretText } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const ROLES = ['administrator', 'operator', 'readonly', 'guest', 'technician', 'helpdesk'] as const
export type Role = (typeof ROLES)[number]

/** The account that every appliance has; it is not deleted and keeps its role. */
export const BUILT_IN = 'admin'
/** Names of the operating system and of roles, as AsyncOS refuses them. */
export const RESERVED_NAMES: readonly string[] = ['root', 'operator', 'daemon', 'nobody', 'system', 'toor', 'sshd']
export const USER_NAME = /^[a-z][a-z0-9_.-]{0,31}$/

const count = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

const user = v.object({
  name: v.pipe(v.string(), v.regex(USER_NAME)),
  fullName: v.pipe(v.string(), v.maxLength(128)),
  role: v.picklist(ROLES),
  /** argon2id hash; null = no login by passphrase. */
  passphrase: v.nullable(secretText()),
  /** Hashes of earlier passphrases, newest first. */
  earlier: v.array(secretText()),
  /** Lines of an authorized_keys file. */
  keys: v.array(
    v.pipe(
      v.string(),
      v.check((key) => parsePublicKey(key).ok, 'not a public key'),
    ),
  ),
  status: v.picklist(['active', 'locked']),
  /** A user of the operating system who has a socket of this account's; null = none. */
  systemUser: v.nullable(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/))),
})
export type User = v.InferOutput<typeof user>

export const builtInUser: User = {
  name: BUILT_IN,
  fullName: 'Administrator',
  role: 'administrator',
  passphrase: null,
  earlier: [],
  keys: [],
  status: 'active',
  systemUser: null,
}

const error = (path: string, message: string): Issue => ({ path, message, severity: 'error' })

/** `userconfig`, `passwd`, `sshconfig > USERKEY`. */
export const users = defineSection({
  name: 'users',
  version: 1,
  schema: v.object({
    accounts: v.array(user),
    policy: v.object({
      minLength: count(6, 128),
      upper: v.boolean(),
      lower: v.boolean(),
      digit: v.boolean(),
      special: v.boolean(),
      /** So many earlier passphrases are not taken again. */
      history: count(0, 15),
      /** Failed logins after which a name is locked for a while; 0 = never. */
      lockAttempts: count(0, 60),
      lockMinutes: count(1, 1440),
    }),
  }),
  defaults: {
    accounts: [builtInUser],
    policy: {
      minLength: 8,
      upper: true,
      lower: true,
      digit: true,
      special: false,
      history: 3,
      lockAttempts: 0,
      lockMinutes: 15,
    },
  },
  verify: ({ accounts }) => {
    const mapped = accounts.flatMap((a) => (a.systemUser === null ? [] : [{ name: a.systemUser }]))
    return [
      ...uniqueNames('users', accounts),
      ...uniqueNames('users.systemUser', mapped),
      ...(accounts.some((a) => a.name === BUILT_IN && a.role === 'administrator')
        ? []
        : [error('users.admin', `The account ${BUILT_IN} must exist and be an administrator.`)]),
      ...(accounts.some((a) => a.role === 'administrator' && a.status === 'active')
        ? []
        : [error('users', 'At least one administrator must be active.')]),
    ]
  },
})
export type Users = (typeof users)['defaults']
export type PassphrasePolicy = Users['policy']

/** All accounts, that of `name` with a new hash and the old one among its earlier ones. */
export const withPassphrase = (value: Users, name: string, hash: string): Users => ({
  ...value,
  accounts: value.accounts.map((account) => {
    if (account.name !== name) return account
    const earlier = account.passphrase === null ? account.earlier : [account.passphrase, ...account.earlier]
    return { ...account, passphrase: hash, earlier: earlier.slice(0, value.policy.history) }
  }),
})
