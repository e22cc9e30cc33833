import { MAR_ACTIONS, urlFiltering } from '../../../config/sections/url-filtering.ts'
import type { MarAction } from '../../../config/sections/url-filtering.ts'
import { urlLists } from '../../../config/sections/url-lists.ts'
import { emailAddress } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'

type UrlFiltering = typeof urlFiltering.defaults

const MAR = 'URL Retrospective service based Mail Auto Remediation'
const ACTIONS: Readonly<Record<MarAction, string>> = {
  delete: 'Delete',
  forward_and_delete: 'Forward and Delete',
  forward: 'Forward',
}

const onOff = (what: string, on: boolean): string => `${what} is ${on ? 'enabled' : 'disabled'}.`

/** The dialogues of reference/url-retrospective-verdict.txt, byte for byte on a fresh configuration. */
const overview = (session: Session, value: UrlFiltering): readonly string[] => [
  onOff('URL Filtering', value.enabled),
  value.allowedList === null ? 'No URL list used.' : `URL list '${printable(value.allowedList)}' used.`,
  onOff('Web Interaction Tracking', value.webInteractionTracking),
  onOff(MAR, value.marEnabled),
  `URL Retrospective service status - ${session.appliance.retro.status().state}`,
  '',
]

const stage = (session: Session, change: Partial<UrlFiltering>): UrlFiltering => {
  const value = { ...session.draft.get(urlFiltering), ...change }
  session.draft.set(urlFiltering, value)
  return value
}

const askTracking = async (session: Session, { webInteractionTracking: on }: UrlFiltering): Promise<void> => {
  const verb = on ? 'disable' : 'enable'
  if (!(await session.ask.confirm(`Do you wish to ${verb} Web Interaction Tracking?`, false))) return
  stage(session, { webInteractionTracking: !on })
  session.print(onOff('Web Interaction Tracking', !on), '')
}

const askAllowedList = async (session: Session, { allowedList }: UrlFiltering): Promise<void> => {
  const { ask, print, draft } = session
  if (allowedList !== null) {
    const name = printable(allowedList)
    if (!(await ask.confirm(`Do you wish to remove URL list '${name}' from the allowed list?`, false))) return
    stage(session, { allowedList: null })
    print(`URL list '${name}' removed`, '')
    return
  }
  if (!(await ask.confirm('Do you wish to add URLs to the allowed list using a URL list?', false))) return
  const lists = draft.get(urlLists)
  if (lists.length === 0) {
    print('There are no URL lists. Create one with urllistconfig.', '')
    return
  }
  const list = await ask.pick('Enter the number of the list', lists, (l) => printable(l.name), 0)
  stage(session, { allowedList: list.name })
  print(`URL list '${printable(list.name)}' added`, '')
}

const askAction = async (session: Session, value: UrlFiltering): Promise<void> => {
  const { ask } = session
  const question = 'Please select a Mailbox Auto Remediation action:'
  const marAction = await ask.pick(question, MAR_ACTIONS, (a) => ACTIONS[a], MAR_ACTIONS.indexOf(value.marAction))
  if (marAction === 'delete') {
    if (marAction !== value.marAction) stage(session, { marAction })
    return
  }
  const where = 'Please enter the email address to forward messages to:'
  const marForwardTo = await ask.field(where, emailAddress, value.marForwardTo ?? undefined)
  stage(session, { marAction, marForwardTo })
}

const askRemediation = async (session: Session, value: UrlFiltering): Promise<void> => {
  const { ask, print } = session
  if (value.marEnabled) {
    if (await ask.confirm('Do you wish to disable Mailbox Auto Remediation action?', false)) {
      stage(session, { marEnabled: false })
      print(onOff(MAR, false), '')
    } else await askAction(session, value)
    return
  }
  print('', `Enable ${MAR} to configure remediation actions.`, '')
  if (!(await ask.confirm('Do you wish to enable Mailbox Auto Remediation action?', false))) return
  const next = stage(session, { marEnabled: true })
  print(onOff(MAR, true), '')
  await askAction(session, next)
}

export default defineCommand({
  name: 'websecurityconfig',
  summary: 'Configure URL filtering and its Mailbox Auto Remediation',
  description:
    'URL filtering looks up the reputation of the URLs in messages. Here it is switched on and off, the list of URLs that ' +
    'are not looked up is chosen, and Mailbox Auto Remediation is told what to do with delivered messages whose URL ' +
    'turns malicious later (urlretroservice).',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    const { ask, print, draft } = session
    const before = draft.get(urlFiltering)
    print(...overview(session, before))
    if (before.enabled) {
      if (await ask.confirm('Disable URL Filtering?', false)) {
        stage(session, { enabled: false })
        print(onOff('URL Filtering', false))
        return
      }
    } else {
      if (!(await ask.confirm('Enable URL Filtering?', false))) return
      stage(session, { enabled: true })
      print(onOff('URL Filtering', true), '')
    }
    await askTracking(session, before)
    await askAllowedList(session, before)
    await askRemediation(session, before)
  },
})
