import { isIP } from 'node:net'
import { readConfigurationFile } from '../../../config/files.ts'
import { routeLogins } from '../../../config/sections/route-logins.ts'
import { smtpRoutes } from '../../../config/sections/smtp-routes.ts'
import type { SmtpRoute } from '../../../config/sections/smtp-routes.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { isHostname, list, text } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable, printableCut } from '../../../core/text.ts'
import { writeExport } from '../../files.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

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

/** A login goes with its route. */
const setAll = ({ draft }: Session, routes: readonly SmtpRoute[]): void => {
  draft.set(smtpRoutes, [...routes])
  const logins = draft.get(routeLogins)
  const kept = logins.filter((l) => routes.some((r) => r.domain === l.domain))
  if (kept.length < logins.length) draft.set(routeLogins, kept)
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
  setAll(
    session,
    all(session).filter((r) => r !== route),
  )
  session.print(`Mapping for ${route.domain} removed.`)
}

const clear = (session: Session): void => {
  setAll(session, [])
  session.print('All mappings removed.')
}

/** As the file has it, one route a line. */
const readRoutes = (file: string, content: string): SmtpRoute[] =>
  content.split(/\r?\n/).flatMap((raw, i): SmtpRoute[] => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return []
    try {
      const [, name, hosts] = /^(\S+?)\s*:\s*(.+)$/.exec(line) ?? []
      if (name === undefined || hosts === undefined) throw new UserError('The line must be "domain: host, host".')
      return [{ domain: readValue(domain, name), hosts: [...readValue(destinations, hosts)] }]
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      throw new UserError(`${file}, line ${i + 1}: ${error.message} Nothing was imported.`)
    }
  })

const importFile = async (session: Session, file: string): Promise<void> => {
  const routes = readRoutes(file, await readConfigurationFile(session.appliance.home, file))
  const twice = routes.find((r, i) => routes.findIndex((o) => o.domain === r.domain) < i)
  if (twice) throw new UserError(`${file} has two routes for ${twice.domain}. Nothing was imported.`)
  setAll(session, routes)
  session.print(`${routes.length} ${routes.length === 1 ? 'route' : 'routes'} imported; they replace what was there.`)
}

const exportFile = async (session: Session, file: string): Promise<void> => {
  const path = await writeExport(session, file, all(session).map(label))
  session.print(`Routes written to ${printable(path)}.`)
}

const userName: Field<string> = {
  parse: (text) =>
    /^[^\s\u0000-\u001f\u007f"]{1,128}$/.test(text.trim())
      ? ok(text.trim())
      : fail('The name must have 1 to 128 characters and no blanks or quotes.'),
  format: (name) => name,
}
const passphrase: Field<string> = {
  parse: (text) =>
    text === '' || text.length > 256 ? fail('The passphrase must have 1 to 256 characters.') : ok(text),
  format: () => '',
}

/** SMTP AUTH of one route; the passphrase is asked for at a terminal only and never shown. */
const login = async (session: Session, route: SmtpRoute): Promise<void> => {
  const { ask, draft } = session
  const others = draft.get(routeLogins).filter((l) => l.domain !== route.domain)
  if (!(await ask.confirm(`Do you want to log in to the hosts of ${route.domain} (SMTP AUTH)?`, true))) {
    draft.set(routeLogins, others)
    return session.print(`Nobody logs in to the hosts of ${route.domain}.`)
  }
  const user = await ask.field('Enter the user name:', userName)
  const secret = await ask.field('Enter the passphrase:', passphrase, undefined, { bare: true, secret: true })
  draft.set(routeLogins, [...others, { domain: route.domain, user, passphrase: secret }])
  session.print(`Mail for ${route.domain} logs in as ${user}. The passphrase is sent under TLS only.`)
}

const OPERATIONS = {
  NEW: 'Create a new route.',
  EDIT: 'Edit destinations of an existing route.',
  DELETE: 'Remove a route.',
  LOGIN: 'Set the user name and passphrase for the hosts of a route.',
  PRINT: 'Display all routes.',
  IMPORT: 'Import routes from a file.',
  EXPORT: 'Export all routes to a file.',
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
  else if (operation === 'LOGIN') await login(session, await pick('Choose the route:'))
  else if (operation === 'IMPORT')
    await importFile(session, await ask.field('Enter the name of the file to import:', text()))
  else if (operation === 'EXPORT')
    await exportFile(session, await ask.field('Enter a name for the exported file:', text()))
  else if (operation === 'CLEAR') {
    if (await ask.confirm('Are you sure you want to remove all routes?', false)) clear(session)
  } else await session.page(all(session).map(label))
}

const overview = (session: Session): string => {
  const n = all(session).length
  return n === 0 ? 'There are no routes configured.' : `There ${n === 1 ? 'is 1 route' : `are ${n} routes`} configured.`
}

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
      const { NEW, IMPORT } = OPERATIONS
      const operation = await session.ask.choose(all(session).length === 0 ? { NEW, IMPORT } : OPERATIONS)
      if (operation === null) return
      await operate(session, operation)
      session.print('')
    }
  },
  forms: [
    wordForm('smtproutes new DOMAIN HOST [HOST...]', ['new'], [2, 64], (session, [name = '', ...hosts]) => {
      add(session, readValue(domain, name), readValue(destinations, hosts.join(',')))
    }),
    wordForm('smtproutes edit DOMAIN HOST [HOST...]', ['edit'], [2, 64], (session, [name = '', ...hosts]) => {
      put(session, { ...find(session, name), hosts: [...readValue(destinations, hosts.join(','))] })
    }),
    wordForm('smtproutes delete DOMAIN', ['delete'], 1, (session, [name = '']) => remove(session, name)),
    wordForm('smtproutes print', ['print'], 0, (session) =>
      session.page(all(session).length === 0 ? [overview(session)] : all(session).map(label)),
    ),
    wordForm('smtproutes import FILE', ['import'], 1, (session, [file = '']) => importFile(session, file)),
    wordForm('smtproutes export FILE', ['export'], 1, (session, [file = '']) => exportFile(session, file)),
    wordForm('smtproutes clear', ['clear'], 0, clear),
  ],
})
