import { listeners as listenersSection } from '../config/sections/listeners.ts'
import { UserError } from '../core/errors.ts'
import { ok } from '../core/result.ts'
import { list } from '../core/schema.ts'
import type { Field } from '../core/schema.ts'
import { printableCut } from '../core/text.ts'
import type { Session } from './command.ts'
import { domainField, graceField } from './queue.ts'
import { misused, readValue } from './options.ts'

/* What suspend, suspendlistener, suspenddel and their opposites share. */

const ALL_DOMAINS = 'ALL'

export const listenerNames = ({ running }: Session): readonly string[] =>
  running.get(listenersSection).map((l) => l.name)

/** `1. All`, then the names. */
export const askListeners = async (
  { ask }: Session,
  question: string,
  names: readonly string[],
): Promise<readonly string[]> => {
  const chosen = await ask.pickMany(
    `${question}\nSeparate multiple entries with commas.`,
    [null, ...names],
    (name) => name ?? 'All',
    [0],
  )
  return chosen.includes(null) ? names : chosen.filter((name) => name !== null)
}

/** Words of a batch line: names of listeners, or `all`. @throws UserError */
export const listenersOf = (usage: string, words: readonly string[], names: readonly string[]): readonly string[] => {
  if (words.length === 1 && words[0]?.toLowerCase() === 'all') return names
  if (words.length === 0) throw misused('A value is missing.', usage)
  const unknown = words.find((word) => !names.includes(word))
  if (unknown !== undefined)
    throw new UserError(
      `'${printableCut(unknown, 60)}' is none of them: ${names.join(', ') || 'there is none'}. Names are case-sensitive.`,
    )
  return [...new Set(words)]
}

/** Domains separated by commas; `ALL` is all of them, which is ''. */
export const domainsField: Field<readonly string[]> = {
  parse: (text) => (text.trim().toUpperCase() === ALL_DOMAINS ? ok(['']) : list(domainField).parse(text)),
  format: (domains) => domains.map((domain) => (domain === '' ? ALL_DOMAINS : domain)).join(', '),
}

export const domainsOf = (word: string): readonly string[] => {
  return readValue(domainsField, word)
}

/** A number of seconds that may stand at the end of a batch line. */
export const graceOf = (word: string): number => {
  return readValue(graceField, word)
}

export const suspendReceiving = async (
  { appliance, user, print }: Session,
  names: readonly string[],
  seconds: number,
): Promise<void> => {
  print('Waiting for listeners to exit...')
  await appliance.traffic.suspendReceiving(names, seconds * 1000, user.name)
}

export const suspendDelivery = async (
  { appliance, user, print }: Session,
  domains: readonly string[],
  seconds: number,
): Promise<void> => {
  print('Waiting for outgoing deliveries to finish...')
  await appliance.traffic.suspendDelivery(domains, seconds * 1000, user.name)
  print('Mail delivery suspended.')
}

/** Domains that are suspended one by one. */
export const suspendedDomains = ({ appliance }: Session): readonly string[] =>
  appliance.traffic
    .suspended('delivery')
    .map((s) => s.name)
    .filter((name) => name !== '')
