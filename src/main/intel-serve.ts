import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadOwnCa } from '../adapters/crypto/ca.ts'
import { diskSourceFiles } from '../adapters/files/source-files.ts'
import { createFeedFetch } from '../adapters/http/feed-fetch.ts'
import { startIntelServer } from '../adapters/http/intel-server.ts'
import { inlineWriter, workerWriter } from '../adapters/sqlite/database.ts'
import { createIntelStore } from '../adapters/sqlite/intel.ts'
import { SOURCE_FORMATS } from '../config/sections/intelligence.ts'
import type { Env } from '../core/env.ts'
import { UserError } from '../core/errors.ts'
import { printable } from '../core/text.ts'
import { createEventBus } from '../events/bus.ts'
import type { IntelChange } from '../intel/lookup.ts'
import { explanationLines, opinionLine } from '../intel/describe.ts'
import { createIntelService } from '../intel/service/service.ts'
import type { IntelService } from '../intel/service/service.ts'
import { createSourceLoader, LOADED } from '../intel/sources/loader.ts'

/** `lychgate intel …`: the intelligence service alone, and its operator's side. Works on `<home>` directly: who may write there is the operator. */
export interface IntelCommandOptions {
  readonly home: string
  readonly env: Env
  readonly user: string
  /** One line of output. */
  readonly print: (line: string) => void
  /** Ends `serve`. */
  readonly signal: AbortSignal
}

export const INTEL_USAGE = [
  'lychgate intel serve  [--home DIR] [--listen HOST:PORT] [--name HOST]   serve devices over HTTPS until stopped',
  'lychgate intel enrol SERIAL     issue a device its secret (shown once; an older one ends)',
  'lychgate intel revoke SERIAL    end a device',
  'lychgate intel devices          list the devices',
  'lychgate intel set URL|DOMAIN LEVEL [CATEGORY] [REASON]',
  'lychgate intel remove URL|DOMAIN',
  'lychgate intel show [URL|DOMAIN]',
  'lychgate intel explain URL|DOMAIN',
  'lychgate intel load NAME FILE|HTTPS-URL [--format FORMAT] [--level LEVEL] [--category CATEGORY]',
  'lychgate intel unload NAME',
  'lychgate intel ca               print the CA certificate that devices must trust',
]

const LEVELS = ['untrusted', 'questionable', 'neutral', 'favorable', 'trusted'] as const
const DEFAULT_LISTEN = '127.0.0.1:8443'
const GRACE_MS = 5000
const PRUNE_MS = 3600_000

const hostAndPort = (text: string): { readonly host: string; readonly port: number } => {
  const m = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text)
  const port = Number(m?.[3])
  if (!m || port > 65_535) throw new UserError(`--listen must be HOST:PORT (Ex: ${DEFAULT_LISTEN}), not '${text}'.`)
  return { host: (m[1] ?? m[2]) as string, port }
}

const changeLine = (change: IntelChange): string =>
  `${change.indicator}: ${change.before} -> ${change.after}, retrospections: ${change.retrospections}`

/** Runs one `lychgate intel` command. @throws UserError */
export const runIntelCommand = async (args: readonly string[], options: IntelCommandOptions): Promise<void> => {
  let parsed
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        listen: { type: 'string', default: DEFAULT_LISTEN },
        name: { type: 'string' },
        format: { type: 'string', default: 'lines' },
        level: { type: 'string', default: 'untrusted' },
        category: { type: 'string', default: '' },
      },
    })
  } catch {
    throw new UserError(`Unknown option. Usage: ${INTEL_USAGE.join(' | ')}`)
  }
  const { values, positionals } = parsed
  const [verb = 'help', ...words] = positionals
  const { print } = options
  if (verb === 'help') {
    print('Usage:')
    for (const line of INTEL_USAGE) print(`  ${line}`)
    return
  }
  const directory = join(resolve(options.home), 'intel')
  const writer = verb === 'serve' ? workerWriter() : inlineWriter()
  try {
    const store = await createIntelStore(writer, join(resolve(options.home), 'db', 'intel.db'))
    const service = createIntelService({ store, env: options.env })
    await service.resume()
    const need = (index: number, what: string): string => {
      const word = words[index]
      if (word === undefined) throw new UserError(`'lychgate intel ${verb}' needs ${what}.`)
      return word
    }
    switch (verb) {
      case 'serve':
        return await serve(service, directory, values, options)
      case 'ca':
        for (const line of (await loadOwnCa(directory, ['127.0.0.1', 'localhost'], options.env)).caPem
          .trim()
          .split('\n'))
          print(line)
        return
      case 'enrol':
        print(await service.devices.enrol(need(0, 'the serial number of a device')))
        return
      case 'revoke':
        if (!(await service.devices.revoke(need(0, 'the serial number of a device'))))
          throw new UserError(`There is no device ${printable(need(0, 'a serial number'))}.`)
        return
      case 'devices':
        for (const serial of service.devices.list()) print(serial)
        return
      case 'load': {
        const format = SOURCE_FORMATS.find((f) => f === values.format)
        if (format === undefined) throw new UserError(`--format must be one of: ${SOURCE_FORMATS.join(', ')}.`)
        const level = LEVELS.find((l) => l === values.level)
        if (level === undefined) throw new UserError(`--level must be one of: ${LEVELS.join(', ')}.`)
        const feeds = createFeedFetch({
          clock: options.env.clock,
          proxy: () => null,
          ca: null,
          userAgent: 'lychgate',
        })
        const loader = createSourceLoader({
          store,
          files: diskSourceFiles,
          feeds,
          clock: options.env.clock,
          events: createEventBus(options.env.clock),
          locate: (path) => resolve(path),
          loaded: () => service.catchUp(),
        })
        const source = {
          name: `${LOADED}${need(0, 'a name for the source')}`,
          enabled: true,
          format,
          path: need(1, 'a file or an https URL'),
          key: null,
          level,
          category: values.category,
          refreshSeconds: 3600,
        } as const
        try {
          print(`${await loader.load(source, options.signal, true)} indicators`)
        } finally {
          await feeds.close()
        }
        return
      }
      case 'unload':
        await store.opinions.forget(`${LOADED}${need(0, 'the name of the source')}`)
        await service.catchUp()
        return
      default:
        return await verdicts(service, verb, words, need, options)
    }
  } finally {
    await writer.close()
  }
}

const verdicts = async (
  service: IntelService,
  verb: string,
  words: readonly string[],
  need: (index: number, what: string) => string,
  { print, user }: IntelCommandOptions,
): Promise<void> => {
  switch (verb) {
    case 'set': {
      const [, , category, reason] = words
      const change = await service.verdicts.set(need(0, 'a URL or a domain'), need(1, 'a level'), {
        user,
        ...(category === undefined ? {} : { category }),
        ...(reason === undefined ? {} : { reason }),
      })
      print(changeLine(change))
      return
    }
    case 'remove': {
      const change = await service.verdicts.remove(need(0, 'a URL or a domain'), user)
      if (change === null) throw new UserError('The operator has said nothing of it.')
      print(changeLine(change))
      return
    }
    case 'show':
      for (const opinion of service.verdicts.show(words[0])) print(opinionLine(opinion))
      return
    case 'explain':
      for (const line of explanationLines(await service.verdicts.explain(need(0, 'a URL or a domain')))) print(line)
      return
    default:
      throw new UserError(`Unknown command 'intel ${printable(verb)}'. See 'lychgate intel help'.`)
  }
}

const serve = async (
  service: IntelService,
  directory: string,
  values: { readonly listen: string; readonly name?: string | undefined },
  { env, print, signal }: IntelCommandOptions,
): Promise<void> => {
  const { host, port } = hostAndPort(values.listen)
  const name = values.name ?? (host === '0.0.0.0' || host === '::' ? 'localhost' : host)
  const tls = await loadOwnCa(directory, [...new Set([name, host, 'localhost', '127.0.0.1'])], env)
  const server = await startIntelServer({ service, tls, host, port, publicHost: name })
  print(`listening on ${server.uri}, CA in ${join(directory, 'ca.pem')}`)
  while (!signal.aborted) {
    await service.catchUp()
    await service.prune()
    await env.clock.sleep(PRUNE_MS, signal).catch(() => undefined)
  }
  await server.stop(GRACE_MS)
}
