import { isIP } from 'node:net'
import { smtpRoutes } from '../../../config/sections/smtp-routes.ts'
import type { SmtpRoute } from '../../../config/sections/smtp-routes.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { isHostname, list } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readForm } from '../../options.ts'

const ALONE: readonly string[] = ['/dev/null', 'USEDNS', 'MAILBOXES']
const DESTINATION = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/

/** `example.com`, `.example.com`, `ALL`. */
const domain: Field<string> = {
  parse: (text) => {
    const name = text.trim()
    if (name.toUpperCase() === 'ALL') return ok('ALL')
    if (isHostname(name.replace(/^\./, ''))) return ok(name.toLowerCase())
    return fail('The value must be a domain, a partial domain or ALL. (Ex: example.com, .example.com)')
  },
  format: (name) => name,
}

/** `host`, `host:25`, `[10.1.1.1]:25`, or a word of `ALONE`. */
const destination: Field<string> = {
  parse: (text) => {
    const t = text.trim()
    const word = ALONE.find((w) => w.toLowerCase() === t.toLowerCase())
    if (word !== undefined) return ok(word)
    const [, bracketed, plain, digits] = DESTINATION.exec(t) ?? []
    const name = bracketed ?? plain ?? ''
    const port = digits === undefined || (Number(digits) >= 1 && Number(digits) <= 65_535)
    return port && (isIP(name) !== 0 || isHostname(name))
      ? ok(t)
      : fail(
          'The value must be a host, with a port if need be. (Ex: mail.example.com, mail.example.com:2525, [10.1.1.1]:25)',
        )
  },
  format: (host) => host,
}

const destinations: Field<readonly string[]> = {
  ...list(destination),
  parse: (text) => {
    const parsed = list(destination).parse(text)
    const alone = parsed.ok ? parsed.value.find((h) => ALONE.includes(h)) : undefined
    return parsed.ok && alone !== undefined && parsed.value.length > 1 ? fail(`${alone} stands by itself.`) : parsed
  },
}

const DOMAIN_QUESTION = `Enter the domain for which you want to set up a permanent route.
Partial hostnames such as ".example.com" are allowed. Use "ALL" for the default route.`
const hostsQuestion = (name: string): string => `Enter the destination hosts, separated by commas, for mail to ${name}.
USEDNS by itself resolves the domain as usual. /dev/null by itself throws the mail away.
MAILBOXES by itself delivers into the mailboxes of this appliance.
Square brackets take a name's address and pass over its MX records.`

const all = ({ draft }: Session): readonly SmtpRoute[] => draft.get(smtpRoutes)
const label = (route: SmtpRoute): string => `${route.domain}: ${route.hosts.join(', ')}`

const find = (session: Session, name: string): SmtpRoute => {
  const route = all(session).find((r) => r.domain.toLowerCase() === name.toLowerCase())
  if (route === undefined) throw new UserError(`There is no route for ${printableCut(name, 100)}.`)
  return route
}

/** A new route goes to the end, a changed one keeps its place. */
const put = (session: Session, route: SmtpRoute): void => {
  const known = all(session).some((r) => r.domain === route.domain)
  const routes = known ? all(session).map((r) => (r.domain === route.domain ? route : r)) : [...all(session), route]
  session.draft.set(smtpRoutes, [...routes])
}

const add = (session: Session, name: string, hosts: readonly string[]): void => {
  if (all(session).some((r) => r.domain === name)) throw new UserError(`There is a route for ${name} already.`)
  put(session, { domain: name, hosts: [...hosts] })
  session.print(`Mapping for ${name} to ${hosts.join(', ')} created.`)
}

const remove = (session: Session, name: string): void => {
  const route = find(session, name)
  session.draft.set(
    smtpRoutes,
    all(session).filter((r) => r !== route),
  )
  session.print(`Mapping for ${route.domain} removed.`)
}

const clear = (session: Session): void => {
  session.draft.set(smtpRoutes, [])
  session.print('All mappings removed.')
}

const read = <T>(field: Field<T>, text: string): T => {
  const parsed = field.parse(text)
  if (!parsed.ok) throw new UserError(parsed.error)
  return parsed.value
}

const OPERATIONS = {
  NEW: 'Create a new route.',
  EDIT: 'Edit destinations of an existing route.',
  DELETE: 'Remove a route.',
  PRINT: 'Display all routes.',
  CLEAR: 'Remove all routes.',
} as const

const operate = async (session: Session, operation: keyof typeof OPERATIONS): Promise<void> => {
  const { ask } = session
  const pick = (question: string): Promise<SmtpRoute> => ask.pick(question, all(session), label)
  if (operation === 'NEW') {
    const fresh: Field<string> = {
      ...domain,
      parse: (text) => {
        const parsed = domain.parse(text)
        const taken = parsed.ok && all(session).some((r) => r.domain === parsed.value)
        return taken ? fail(`There is a route for ${parsed.value} already.`) : parsed
      },
    }
    const name = await ask.field(DOMAIN_QUESTION, fresh)
    add(session, name, await ask.field(hostsQuestion(name), destinations))
  } else if (operation === 'EDIT') {
    const route = await pick('Choose the route to edit:')
    const hosts = await ask.field(hostsQuestion(route.domain), destinations, route.hosts)
    put(session, { ...route, hosts: [...hosts] })
    session.print(`Mapping for ${route.domain} to ${hosts.join(', ')} stored.`)
  } else if (operation === 'DELETE') remove(session, (await pick('Choose the route to remove:')).domain)
  else if (operation === 'CLEAR') {
    if (await ask.confirm('Are you sure you want to remove all routes?', false)) clear(session)
  } else await session.page(all(session).map(label))
}

const overview = (session: Session): string => {
  const n = all(session).length
  return n === 0 ? 'There are no routes configured.' : `There ${n === 1 ? 'is 1 route' : `are ${n} routes`} configured.`
}

const form = (
  usage: string,
  word: string,
  takes: { readonly min: number; readonly max: number },
  run: (session: Session, words: readonly string[]) => void | Promise<void>,
) => ({
  usage,
  words: [word],
  run: async (session: Session, args: readonly string[]) => run(session, readForm(usage, args, takes).words),
})

export default defineCommand({
  name: 'smtproutes',
  summary: 'Set up permanent domain redirections',
  description:
    'Sends mail for a domain to fixed hosts instead of those that DNS names, or into the mailboxes of this appliance.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(overview(session))
      const { NEW, ...rest } = OPERATIONS
      const operation = await session.ask.choose(all(session).length === 0 ? { NEW } : { NEW, ...rest })
      if (operation === null) return
      await operate(session, operation)
      session.print('')
    }
  },
  forms: [
    form('smtproutes new DOMAIN HOST [HOST...]', 'new', { min: 2, max: 64 }, (session, [name = '', ...hosts]) => {
      add(session, read(domain, name), read(destinations, hosts.join(',')))
    }),
    form('smtproutes edit DOMAIN HOST [HOST...]', 'edit', { min: 2, max: 64 }, (session, [name = '', ...hosts]) => {
      put(session, { ...find(session, name), hosts: [...read(destinations, hosts.join(','))] })
    }),
    form('smtproutes delete DOMAIN', 'delete', { min: 1, max: 1 }, (session, [name = '']) => remove(session, name)),
    form('smtproutes print', 'print', { min: 0, max: 0 }, (session) =>
      session.page(all(session).length === 0 ? [overview(session)] : all(session).map(label)),
    ),
    form('smtproutes clear', 'clear', { min: 0, max: 0 }, clear),
  ],
})
