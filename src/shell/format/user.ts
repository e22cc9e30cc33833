import type { Role, User } from '../../config/sections/users.ts'

/** A role's word in listings, its title in menus, and what it is for. */
export const ROLE_WORDS: Readonly<
  Record<Role, { readonly group: string; readonly title: string; readonly text: string }>
> = {
  administrator: {
    group: 'admin',
    title: 'Administrators',
    text: 'Administrators have full access to all settings of the system.',
  },
  operator: {
    group: 'operators',
    title: 'Operators',
    text: 'Operators change everything but accounts and administrative access.',
  },
  readonly: {
    group: 'readonly',
    title: 'Read-Only Operators',
    text: 'Read-Only Operators see the settings and may stage changes, but not commit them.',
  },
  guest: { group: 'guest', title: 'Guests', text: 'Guests see status information only.' },
  technician: {
    group: 'technicians',
    title: 'Technicians',
    text: 'Technicians look after the system: status, logs and the configuration file.',
  },
  helpdesk: { group: 'helpdesk', title: 'Help Desk Users', text: 'Help Desk Users see status information only.' },
}

/** `1. admin - "Administrator" (admin)`. */
export const userLines = (accounts: readonly User[]): readonly string[] => [
  'Users:',
  ...accounts.map(
    (u, i) =>
      `${i + 1}. ${u.name} - "${u.fullName}" (${ROLE_WORDS[u.role].group})${u.status === 'locked' ? ' [locked]' : ''}`,
  ),
]
