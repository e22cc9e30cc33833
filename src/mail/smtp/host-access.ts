import { addressNumber, parseHostEntry } from '../../config/host-entries.ts'
import type { HostEntry } from '../../config/host-entries.ts'
import { BEHAVIOURS } from '../../config/sections/host-access.ts'
import type { Behaviour, HostAccess, MailFlowPolicy, parameters } from '../../config/sections/host-access.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { oncePer } from '../../core/once-per.ts'
import type { AddressScore } from '../../intel/address-score.ts'

/** What a client may do: the parameters of its mail-flow policy, with the listener's where the policy has none. */
export type PolicyParameters = Pick<Listener, keyof typeof parameters>

export interface MailFlow extends PolicyParameters {
  readonly behaviour: Exclude<Behaviour, 'CONTINUE'>
  /** null = a behaviour without a policy of its own. */
  readonly policy: string | null
}

/** What the Host Access Table makes of a client. */
export interface HostDecision {
  readonly senderGroup: string | null
  /** The entry that matched. */
  readonly match: string
  readonly flow: MailFlow
}

/** What entries ask about a client. Asked only when an entry needs it; none of them rejects. */
export interface ClientFacts {
  readonly address: string
  reverse(): Promise<{ readonly host: string | null; readonly verified: boolean }>
  score(): Promise<AddressScore>
  listed(zone: string): Promise<boolean>
  /** Two letters; null = not known. */
  country(): string | null
}

const KEYS: readonly (keyof PolicyParameters)[] = [
  'tls',
  'smtpAuth',
  'verifyClient',
  'maxConcurrencyPerAddress',
  'maxMessagesPerConnection',
  'maxRecipients',
  'maxMessageBytes',
  'maxRecipientsPerHour',
  'senderVerification',
  'exceptionTable',
  'earlyTalker',
  'maxInvalidRecipients',
  'harvestDrop',
  'harvestCode',
  'harvestText',
  'spf',
  'dkim',
  'dmarc',
  'sdr',
  'bannerText',
  'rejectCode',
  'rejectText',
  'limitCode',
  'limitText',
]

const policyOf = (table: HostAccess, reference: string): MailFlowPolicy | undefined =>
  reference.startsWith('$') ? table.policies.find((p) => p.name === reference.slice(1)) : undefined

const behaviourOf = (table: HostAccess, reference: string): Behaviour =>
  policyOf(table, reference)?.behaviour ?? BEHAVIOURS.find((b) => b === reference) ?? 'REJECT'

/** A listener's flows are put together once. */
const flows = oncePer((_: Listener) => new Map<string, MailFlow>())

/** `$NAME` of a policy, or a behaviour, with all its parameters. */
export const mailFlow = (listener: Listener, reference: string): MailFlow => {
  const known = flows(listener)
  let flow = known.get(reference)
  if (!flow) known.set(reference, (flow = compose(listener, reference)))
  return flow
}

const compose = (listener: Listener, reference: string): MailFlow => {
  const policy = policyOf(listener.hostAccess, reference)
  const behaviour = behaviourOf(listener.hostAccess, reference)
  const chosen = Object.fromEntries(KEYS.map((key) => [key, policy?.[key] ?? listener[key]]))
  return {
    ...(chosen as unknown as PolicyParameters),
    // The end of the table has nothing to go on to.
    behaviour: behaviour === 'CONTINUE' ? 'ACCEPT' : behaviour,
    policy: policy?.name ?? null,
  }
}

/** The flow under which a message of a sender group came in, by the tables as they are now. */
const flowOfGroup = (listener: Listener, senderGroup: string | null): MailFlow => {
  const group = listener.hostAccess.groups.find((g) => g.name === senderGroup)
  return mailFlow(listener, group?.policy ?? listener.hostAccess.otherwise)
}

interface Compiled {
  readonly group: string
  readonly policy: string
  readonly entries: readonly HostEntry[]
}

const compile = oncePer((table: HostAccess): readonly Compiled[] =>
  table.groups.map((g) => ({
    group: g.name,
    policy: g.policy,
    entries: g.hosts.map(parseHostEntry).flatMap((e) => (e.ok ? [e.value] : [])),
  })),
)

const matches = (
  entry: HostEntry,
  facts: ClientFacts,
  own: ReturnType<typeof addressNumber>,
): boolean | Promise<boolean> => {
  switch (entry.kind) {
    case 'all':
      return true
    case 'addresses':
      return own?.family === entry.family && own.value >= entry.low && own.value <= entry.high
    case 'host':
    case 'domain':
      return facts.reverse().then(({ host, verified }) => {
        const name = host?.toLowerCase() ?? ''
        return verified && (entry.kind === 'host' ? name === entry.name : name.endsWith(entry.suffix))
      })
    case 'reputation':
      return facts.score().then((s) => s.kind === 'score' && s.score >= entry.low && s.score <= entry.high)
    case 'no-reputation':
      return facts.score().then((s) => s.kind !== 'score')
    case 'dnslist':
      return facts.listed(entry.zone)
    case 'country':
      return facts.country() === entry.code
  }
}

/** Sender groups from top to bottom; the first entry that matches decides. */
export const decideHost = async (listener: Listener, facts: ClientFacts): Promise<HostDecision> => {
  const table = listener.hostAccess
  const own = addressNumber(facts.address)
  for (const { group, policy, entries } of compile(table)) {
    if (behaviourOf(table, policy) === 'CONTINUE') continue
    for (const entry of entries) {
      const hit = matches(entry, facts, own)
      if (hit === false || (hit !== true && !(await hit))) continue
      return { senderGroup: group, match: entry.text, flow: mailFlow(listener, policy) }
    }
  }
  return { senderGroup: null, match: 'ALL', flow: mailFlow(listener, table.otherwise) }
}

/** The same by the running configuration; null when the listener is gone. */
export const flowOfMessage = (
  all: readonly Listener[],
  message: { readonly listener: string; readonly senderGroup: string | null },
): MailFlow | null => {
  const listener = all.find((l) => l.name === message.listener)
  return listener === undefined ? null : flowOfGroup(listener, message.senderGroup)
}
