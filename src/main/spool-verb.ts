import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockHome } from '../adapters/files/lock.ts'
import { inspectSpool } from '../adapters/sqlite/spool-inspect.ts'
import type { InspectedMessage, SpoolInspection } from '../adapters/sqlite/spool-inspect.ts'
import { UserError, errorText } from '../core/errors.ts'
import { printableCut } from '../core/text.ts'
import { lockPath } from './sessions.ts'

type Print = (line: string) => void

const USAGE = [
  'Usage: lychgate spool check            checks every message of a stopped appliance',
  '       lychgate spool list             lists them',
  '       lychgate spool export DIR [MID...]  writes each as DIR/MID.eml and DIR/MID.json',
]

const stateText = ({ state, queued }: InspectedMessage): string => {
  if (state.kind === 'queued') return `queued (${queued.length} recipients left)`
  return state.kind === 'work' ? 'in the work queue' : `in quarantine "${printableCut(state.quarantine, 60)}"`
}

/** Faults of a message, its body included. */
const faultsOf = (message: InspectedMessage): readonly string[] => {
  const { fault } = message.body()
  return fault === null ? message.faults : [...message.faults, fault]
}

const check = (spool: SpoolInspection, print: Print): boolean => {
  const others = spool.faults()
  for (const fault of others) print(fault)
  let messages = 0
  let damaged = 0
  for (const message of spool.messages()) {
    messages++
    const faults = faultsOf(message)
    if (faults.length > 0) damaged++
    for (const fault of faults) print(`MID ${message.mid}: ${fault}`)
  }
  const aside = spool.setAside()
  if (aside.length > 0) print(`${aside.length} messages were set aside earlier: MID ${aside.join(', ')}`)
  print(`${messages} messages checked, ${damaged} damaged, ${others.length} other faults.`)
  return damaged + others.length === 0
}

const list = (spool: SpoolInspection, print: Print): boolean => {
  let messages = 0
  for (const message of spool.messages()) {
    messages++
    const { entry } = message
    const to = entry?.recipients.map((r) => `<${r.address}>`).join(', ') ?? ''
    print(
      `MID ${message.mid} ${message.receivedAt.toISOString()} ${message.size} bytes, ${stateText(message)}, ` +
        (entry === null
          ? 'its envelope is damaged'
          : `From: <${printableCut(entry.sender, 100)}> To: ${printableCut(to, 200)}`),
    )
  }
  print(`${messages} messages.`)
  return true
}

const numbers = (words: readonly string[]): readonly number[] =>
  words.map((word) => {
    if (!/^\d{1,15}$/.test(word)) throw new UserError(`'${printableCut(word, 60)}' is no MID.`)
    return Number(word)
  })

const chosen = (spool: SpoolInspection, mids: readonly number[]): Iterable<InspectedMessage> =>
  mids.length === 0
    ? spool.messages()
    : mids.map((mid) => {
        const message = spool.message(mid)
        if (!message) throw new UserError(`MID ${mid} is not in the spool.`)
        return message
      })

const exportTo = (spool: SpoolInspection, directory: string, mids: readonly number[], print: Print): boolean => {
  const messages = chosen(spool, mids)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let written = 0
  let damaged = 0
  for (const message of messages) {
    const { mid, entry, state, queued } = message
    const { bytes } = message.body()
    const faults = faultsOf(message)
    if (faults.length > 0) damaged++
    for (const fault of faults) print(`MID ${mid}: ${fault}`)
    const file = (extension: string): string => join(directory, `${mid}.${extension}`)
    try {
      if (bytes) {
        const whole = Buffer.concat([Buffer.from(entry?.trace ?? ''), bytes])
        writeFileSync(file('eml'), whole, { mode: 0o600, flag: 'wx' })
      }
      const about = { mid, state, faults, queued, envelope: entry }
      writeFileSync(file('json'), `${JSON.stringify(about, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      throw new UserError(`MID ${mid} cannot be exported: ${errorText(error)}. ${written} messages were written.`)
    }
    written++
  }
  print(`${written} messages written to ${directory}, ${damaged} of them damaged.`)
  return damaged === 0
}

/** `lychgate spool …`, for a stopped appliance. Resolves to the exit status: 1 when something is damaged. */
export const spool = async (
  words: readonly string[],
  home: string,
  print: Print = (line) => void process.stdout.write(`${line}\n`),
): Promise<number> => {
  const [verb, target, ...mids] = words
  const wanted = numbers(mids)
  if (!(verb === 'export' ? target !== undefined : (verb === 'check' || verb === 'list') && target === undefined)) {
    for (const line of USAGE) print(line)
    return 2
  }
  const database = join(home, 'db', 'spool.db')
  if (!existsSync(database)) throw new UserError(`There is no spool in ${home}.`)
  // No waiting: what holds the lock is the running appliance, and its shell shows the queue.
  const lock = await lockHome(lockPath(home), 0)
  try {
    const inspection = inspectSpool(database, join(home, 'spool'))
    try {
      if (verb === 'export') return exportTo(inspection, target ?? '', wanted, print) ? 0 : 1
      return (verb === 'check' ? check : list)(inspection, print) ? 0 : 1
    } finally {
      inspection.close()
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(
      `The spool cannot be read: ${errorText(error)}. Copy ${join(home, 'db')} and ${join(home, 'spool')} away before you try to repair it (docs/operations/spool.md).`,
    )
  } finally {
    lock.release()
  }
}
