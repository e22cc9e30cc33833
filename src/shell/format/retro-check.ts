import type { ConfigReader } from '../../config/section.ts'
import { listeners } from '../../config/sections/listeners.ts'
import { mailPolicies } from '../../config/sections/mail-policies.ts'
import { messageFilters } from '../../config/sections/message-filters.ts'
import { remediation } from '../../config/sections/remediation.ts'
import { urlFiltering } from '../../config/sections/url-filtering.ts'
import type { MarAction } from '../../config/sections/url-filtering.ts'
import { urlRetrospection } from '../../config/sections/url-retrospection.ts'
import { printable } from '../../core/text.ts'
import { profileFor } from '../../remediation/plan.ts'
import type { RetroService } from '../../retro/ports.ts'

/** One of the seven points of the reference's troubleshooting list, as it is for us. */
export interface Prerequisite {
  readonly what: string
  readonly holds: boolean
  /** What is set. */
  readonly found: readonly string[]
  /** Commands that mend it. */
  readonly mend: readonly string[]
}

export const MAR_ACTION_NAMES: Readonly<Record<MarAction, string>> = {
  delete: 'Delete',
  forward_and_delete: 'Forward and Delete',
  forward: 'Forward',
}

const URL_RULE = /\burl-(?:no-)?(?:reputation|category)\b/
const some = (names: readonly string[], none: string): string =>
  names.length === 0 ? none : names.map(printable).join(', ')
const onOff = (what: string, on: boolean): string => `${what} is ${on ? 'enabled' : 'disabled'}.`

const service = (config: ConfigReader, status: ReturnType<RetroService['status']>): Prerequisite => {
  const filtering = config.get(urlFiltering).enabled
  const { enabled, watchHours, watchScored } = config.get(urlRetrospection)
  const connected = status.state === 'Connected'
  return {
    what: 'URL Filtering is enabled and connected to the URL Retrospection service',
    holds: filtering && enabled && connected,
    found: [
      onOff('URL Filtering', filtering),
      `${onOff('URL Retro Service', enabled)} Status - ${status.state}${connected ? '' : ` (${status.detail})`}`,
      `URLs ${watchScored ? 'with and without a score' : 'without a score'} are watched for ${watchHours} hours.`,
    ],
    mend: [
      ...(filtering ? [] : ['websecurityconfig, "Enable URL Filtering?", then commit']),
      ...(enabled ? [] : ['urlretroservice enable, then commit']),
      ...(enabled && !connected ? ['urlretroservice poll; tail ecs tells what the service answered'] : []),
    ],
  }
}

const action = (config: ConfigReader): Prerequisite => {
  const { marEnabled, marAction, marForwardTo } = config.get(urlFiltering)
  const to = marAction === 'delete' ? '' : ` to ${marForwardTo === null ? 'nobody' : printable(marForwardTo)}`
  return {
    what: 'An action is set for Mailbox Auto Remediation',
    holds: marEnabled,
    found: [
      onOff('Mailbox Auto Remediation', marEnabled),
      ...(marEnabled ? [`Action: ${MAR_ACTION_NAMES[marAction]}${to}.`] : []),
    ],
    mend: ['websecurityconfig, "Do you wish to enable Mailbox Auto Remediation action?", then commit'],
  }
}

/** Where AsyncOS lets the anti-spam engine find the URLs, ours are found for every policy while URL filtering is on. */
const extraction = (config: ConfigReader): Prerequisite => {
  const { enabled } = config.get(urlFiltering)
  const policies = [...config.get(mailPolicies).incoming.policies.map((p) => p.name), 'DEFAULT']
  return {
    what: 'URLs are found and looked up under the incoming mail policies (there: Anti-Spam)',
    holds: enabled,
    found: [enabled ? `Under every incoming policy: ${some(policies, '')}.` : 'Under none: URL Filtering is disabled.'],
    mend: ['websecurityconfig, "Enable URL Filtering?", then commit'],
  }
}

const filter = (config: ConfigReader): Prerequisite => {
  const { policies, defaultContentFilters, contentFilters } = config.get(mailPolicies).incoming
  const used = new Set([...defaultContentFilters, ...policies.flatMap((p) => p.contentFilters)])
  const speaking = contentFilters.filter((f) => [...f.conditions, ...f.actions].some((text) => URL_RULE.test(text)))
  const active = speaking.filter((f) => used.has(f.name)).map((f) => f.name)
  const idle = speaking.filter((f) => !used.has(f.name)).map((f) => f.name)
  const messages = config
    .get(messageFilters)
    .filter((f) => f.active && URL_RULE.test(f.script))
    .map((f) => f.name)
  return {
    what: 'A content filter acts on URL reputation',
    holds: active.length + messages.length > 0,
    found: [
      `Content filters of incoming policies: ${some(active, 'none')}.`,
      ...(idle.length > 0 ? [`Of no policy: ${some(idle, '')}.`] : []),
      ...(messages.length > 0 ? [`Message filters: ${some(messages, '')}.`] : []),
    ],
    mend: [
      idle.length > 0
        ? 'policyconfig, incoming, EDIT a policy, FILTERS, ENABLE, then commit'
        : 'policyconfig, incoming, FILTERS, NEW, condition URL Reputation; ENABLE it in a policy, then commit',
    ],
  }
}

const profile = (config: ConfigReader): Prerequisite => {
  const { profiles } = config.get(remediation)
  return {
    what: 'A mailbox profile is set (there: Account Settings with Office 365)',
    holds: profiles.length > 0,
    found: [
      `Profiles: ${some(
        profiles.map((p) => `${p.name} (${p.kind})`),
        'none',
      )}.`,
    ],
    mend: ['remediationconfig, PROFILES, NEW, then commit'],
  }
}

/** Domains that the public listeners take mail for; what stands for many (`.example.com`, `ALL`) is left out. */
const ownDomains = (config: ConfigReader): readonly string[] => {
  const entries = config
    .get(listeners)
    .filter((l) => l.type === 'public')
    .flatMap((l) => l.recipientAccess)
  const accepted = entries.filter((e) => e.access === 'accept').map((e) => e.address.toLowerCase())
  const domains = accepted.map((a) => a.slice(a.lastIndexOf('@') + 1))
  return [...new Set(domains)].filter((d) => d !== 'all' && d !== '' && !d.startsWith('.'))
}

const mapping = (config: ConfigReader): Prerequisite => {
  const settings = config.get(remediation)
  const domains = ownDomains(config)
  const unmapped = domains.filter((d) => profileFor(`user@${d}`, settings) === null)
  return {
    what: 'The domains of the recipients are mapped to a mailbox profile',
    holds: settings.domainMap.length > 0 && unmapped.length === 0,
    found: [
      `Mapped: ${some(
        settings.domainMap.map((m) => `${m.domain} to ${m.profile}`),
        'none',
      )}.`,
      ...(unmapped.length > 0 ? [`Mail is accepted for, but not mapped: ${some(unmapped, '')}.`] : []),
    ],
    mend: ['remediationconfig, MAP, then commit'],
  }
}

const version = (ours: string): Prerequisite => ({
  what: 'The version has URL retrospection (there: 14.2.0-468 in the cloud, 15.0 everywhere)',
  holds: true,
  found: [`Lychgate ${printable(ours)}.`],
  mend: [],
})

/** The seven points in the reference's order. */
export const prerequisites = (
  config: ConfigReader,
  status: ReturnType<RetroService['status']>,
  ours: string,
): readonly Prerequisite[] => [
  service(config, status),
  action(config),
  extraction(config),
  filter(config),
  profile(config),
  mapping(config),
  version(ours),
]
