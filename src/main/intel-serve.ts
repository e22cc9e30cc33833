import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadOwnCa } from '../adapters/crypto/ca.ts'
import { inlineWriter, workerWriter } from '../adapters/sqlite/database.ts'
import { createIntelStore } from '../adapters/sqlite/intel.ts'
import type { Env } from '../core/env.ts'
import { UserError } from '../core/errors.ts'
import { printable } from '../core/text.ts'
import type { IntelChange } from '../intel/lookup.ts'
import { explanationLines, opinionLine } from '../intel/describe.ts'
import { createIntelService } from '../intel/service/service.ts'
import type { IntelService } from '../intel/service/service.ts'
import { LOADED } from '../intel/sources/loader.ts'
import { DEFAULT_LISTEN, limitsOf, loading, serveIntel } from './intel-listen.ts'
import { dropSource, keepSource, keptSources, sourceLine, sourceOf } from './intel-sources.ts'

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
  'lychgate intel serve  [--home DIR] [--listen HOST:PORT] [--name HOST] [--metrics HOST:PORT] [--requests-a-minute N]',
  '                      [--watched-urls N] [--token-hours N]   serve devices over HTTPS until stopped',
  'lychgate intel enrol SERIAL     issue a device its secret (shown once; an older one ends)',
  'lychgate intel revoke SERIAL    end a device',
  'lychgate intel devices          list the devices',
  'lychgate intel set URL|DOMAIN LEVEL [CATEGORY] [REASON]',
  'lychgate intel remove URL|DOMAIN',
  'lychgate intel show [URL|DOMAIN]',
  'lychgate intel explain URL|DOMAIN',
  'lychgate intel load NAME [FILE|HTTPS-URL] [--format FORMAT] [--level LEVEL] [--category CATEGORY] [--refresh SECONDS]',
  '                      [--key-file FILE]   read a source now, and again while serve runs',
  'lychgate intel sources          list the sources',
  'lychgate intel unload NAME',
  'lychgate intel ca               print the CA certificate that devices must trust',
]

/** Verbs that neither ask nor change what is said of anything. */
const BARE = new Set(['ca', 'enrol', 'revoke', 'devices', 'sources'])

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
        metrics: { type: 'string' },
        'requests-a-minute': { type: 'string' },
        'watched-urls': { type: 'string' },
        'token-hours': { type: 'string' },
        format: { type: 'string' },
        level: { type: 'string' },
        category: { type: 'string' },
        refresh: { type: 'string' },
        'key-file': { type: 'string' },
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
  let closing = async (): Promise<void> => undefined
  try {
    const store = await createIntelStore(writer, join(resolve(options.home), 'db', 'intel.db'))
    const { loader, hashes, close } = loading(store, directory, options, () => service.catchUp())
    closing = close
    const service: IntelService = createIntelService({ store, env: options.env, hashes, ...limitsOf(values) })
    if (!BARE.has(verb)) await service.resume()
    const need = (index: number, what: string): string => {
      const word = words[index]
      if (word === undefined) throw new UserError(`'lychgate intel ${verb}' needs ${what}.`)
      return word
    }
    switch (verb) {
      case 'serve':
        return await serveIntel(service, loader, store, directory, values, options)
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
        const source = sourceOf(need(0, 'a name for the source'), words[1], values)
        print(`${await loader.load(source, options.signal, true)} indicators`)
        keepSource(directory, source)
        return
      }
      case 'unload': {
        const name = `${LOADED}${need(0, 'the name of the source')}`
        dropSource(directory, name)
        await loader.forget(name)
        await service.catchUp()
        return
      }
      case 'sources':
        for (const source of keptSources(directory))
          print(sourceLine(source, loader.status(source), options.env.clock.now()))
        return
      default:
        return await verdicts(service, verb, words, need, options)
    }
  } finally {
    await closing()
    await writer.close()
  }
}

const verdicts = async (
  service: IntelService,
  verb: string,
  words: readonly string[],
  need: (index: number, what: string) => string,
  { print, user, env }: IntelCommandOptions,
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
      for (const opinion of service.verdicts.show(words[0])) print(opinionLine(opinion, env.clock.now()))
      return
    case 'explain':
      for (const line of explanationLines(
        await service.verdicts.explain(need(0, 'a URL or a domain')),
        env.clock.now(),
      ))
        print(line)
      return
    default:
      throw new UserError(`Unknown command 'intel ${printable(verb)}'. See 'lychgate intel help'.`)
  }
}
