import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogScanner } from '../../src/adapters/files/log-scanner.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import type { SqliteDatabase } from '../../src/adapters/sqlite/database.ts'
import { TRACKING_MIGRATIONS, createTrackingStore } from '../../src/adapters/sqlite/tracking.ts'
import { systemClock } from '../../src/core/clock.ts'
import { median, table } from './measure.ts'

export interface LogsOptions {
  readonly bytes: number
  readonly messages: number
  readonly rounds: number
}

interface Wish {
  readonly what: string
  readonly source: string
  readonly ignoreCase?: boolean
}

const WISHES: readonly Wish[] = [
  { what: 'fixed string, few hits', source: 'MID 123456 ' },
  { what: 'regular expression with a fixed part, few hits', source: 'MID [0-9]+99 queued for .*very' },
  { what: 'regular expression, few hits', source: '[0-9]{3}42[0-9]7 o?rder' },
  { what: 'fixed string in any case, few hits', source: 'invoice NUMBER 4242 ', ignoreCase: true },
]

/** Lines of a mail log, eight to a message. */
const writeLog = (path: string, bytes: number): void => {
  const fd = openSync(path, 'w')
  const stamp = 'Tue Mar 29 20:20:24 2022 Info: '
  for (let written = 0, mid = 1; written < bytes;) {
    let text = ''
    for (; text.length < 1 << 20; mid++)
      text += [
        `Start MID ${mid} ICID ${mid + 7}`,
        `MID ${mid} ICID ${mid + 7} From: <alice${mid % 977}@sender.example>`,
        `MID ${mid} ICID ${mid + 7} RID 0 To: <user${mid % 5003}@example.com>`,
        `MID ${mid} Message-ID '<2022.${mid}@mail.sender.example>'`,
        `MID ${mid} Subject "Invoice number ${(mid * 7919) % 100_003} for your order"`,
        `MID ${mid} ready 4096 bytes from <alice${mid % 977}@sender.example>`,
        `MID ${mid} queued for delivery`,
        `Message finished MID ${mid} done`,
      ]
        .map((line) => `${stamp}${line}\n`)
        .join('')
    writeSync(fd, text)
    written += text.length
  }
  closeSync(fd)
}

const seconds = async (work: () => Promise<void>): Promise<number> => {
  const since = performance.now()
  await work()
  return (performance.now() - since) / 1000
}

const gnuGrep = (path: string, { source, ignoreCase }: Wish): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = ['-E', ...(ignoreCase === true ? ['-i'] : []), '--', source, path]
    const grep = spawn('grep', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    grep.stdout.resume()
    grep.once('error', reject).once('close', () => resolve())
  })

const ourGrep = async (path: string, { source, ignoreCase = false }: Wish): Promise<void> => {
  const wish = { patterns: [source], ignoreCase, invert: false, context: 0 }
  const hits = createLogScanner().scan([path], wish, new AbortController().signal)
  for await (const lines of hits) if (lines.length === 0) throw new Error('an answer without lines')
}

const grepTable = async (folder: string, { bytes, rounds }: LogsOptions): Promise<string> => {
  const path = join(folder, 'mail.log')
  writeLog(path, bytes)
  const rows: string[][] = []
  for (const wish of WISHES) {
    const ours: number[] = []
    const theirs: number[] = []
    // The first round fills the page cache.
    for (let round = 0; round <= rounds; round++) {
      const [a, b] = [await seconds(() => ourGrep(path, wish)), await seconds(() => gnuGrep(path, wish))]
      if (round === 0) continue
      ours.push(a)
      theirs.push(b)
    }
    const rate = (times: readonly number[]): string => `${Math.round(bytes / 1e6 / median(times))} MB/s`
    const ratio = (median(theirs) / median(ours)).toFixed(2)
    rows.push([`${wish.what}: \`${wish.source}\``, rate(ours), rate(theirs), ratio])
  }
  return table(['looked for', '`grep` of the shell', 'GNU grep', 'ratio of the rates'], rows)
}

const fill = async (db: SqliteDatabase, messages: number): Promise<void> => {
  const sql = 'INSERT INTO message (mid, icid, at, sender, message_id, subject) VALUES (?, ?, ?, ?, ?, ?)'
  for (let mid = 1; mid <= messages;) {
    const batch = []
    for (; batch.length < 20_000 && mid <= messages; mid++)
      batch.push({
        sql,
        params: [mid, mid, mid, 'a@sender.example', `<2022.${mid}@mail.sender.example>`, `Subject ${mid}`],
      })
    await db.write(batch)
  }
}

const findTable = async (folder: string, { messages }: LogsOptions): Promise<string> => {
  const writer = inlineWriter({ durable: false })
  const db = await writer.open(join(folder, 'tracking.sqlite'), TRACKING_MIGRATIONS)
  const retention = { maxMessages: messages * 2, maxAgeDays: 1_000_000 }
  const store = createTrackingStore({ db, clock: systemClock, retention, onLost: () => undefined })
  await fill(db, messages)
  const typed = `<2022.${Math.floor(messages / 3)}@mail.sender.example>`
  const pattern = new RegExp(typed)
  const firsts: number[] = []
  const wholes: number[] = []
  for (let round = 0; round < 5; round++) {
    const since = performance.now()
    const wish = { matches: (text: string) => pattern.test(text), literal: '@mail.sender.example>', typed }
    let count = 0
    for await (const message of store.search('message-id', wish, 1000, new AbortController().signal)) {
      if (message.messageId !== typed) throw new Error(`found ${message.messageId ?? 'nothing'}`)
      if (count++ === 0) firsts.push(performance.now() - since)
    }
    if (count === 0) throw new Error('the index found nothing')
    wholes.push(performance.now() - since)
  }
  await writer.close()
  const ms = (times: readonly number[]): string => `${median(times).toFixed(1)} ms`
  return table(
    ['`findevent -I MESSAGE_ID`', 'median of 5'],
    [
      ['first line (limit: 100 ms)', ms(firsts)],
      ['all that match have been looked for', ms(wholes)],
    ],
  )
}

/** Searches in logs and tracking, of the sizes that are asked for. */
export const logs = async (options: LogsOptions): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-bench-logs-'))
  try {
    return [
      `A log of ${(options.bytes / 1e9).toFixed(2)} GB in the page cache, median of ${options.rounds} interleaved rounds.`,
      '',
      await grepTable(folder, options),
      '',
      `Message tracking of ${options.messages} messages.`,
      '',
      await findTable(folder, options),
    ].join('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
