import type { TrackingField, TrackingSearch } from '../../store/tracking.ts'
import type { SqliteDatabase } from './database.ts'

const TEXTS: Readonly<Record<TrackingField, string>> = {
  from: 'SELECT mid, sender AS text FROM message',
  'message-id': 'SELECT mid, message_id AS text FROM message',
  subject: 'SELECT mid, subject AS text FROM message',
  to: 'SELECT mid, address AS text FROM recipient',
}
const COLUMNS: Readonly<Record<TrackingField, string>> = {
  from: 'sender',
  'message-id': 'message_id',
  subject: 'subject',
  to: 'address',
}

interface Candidate {
  readonly mid: number
  readonly text: string
}

/** Messages whose Message-ID is what was typed, with or without its angle brackets, newest first: one look into an index. */
export const identified = (db: SqliteDatabase, { typed, matches }: TrackingSearch): readonly number[] =>
  db
    .all<Candidate>(
      `${TEXTS['message-id']} WHERE message_id IN (?, ?) ORDER BY mid DESC`,
      typed,
      `<${typed.replace(/^<|>$/g, '')}>`,
    )
    .filter(({ text }) => matches(text))
    .map(({ mid }) => mid)

/** Texts of the MIDs from `from` to `to` that hold `literal`, newest first. */
export const candidates = (
  db: SqliteDatabase,
  field: TrackingField,
  literal: string,
  from: number,
  to: number,
): readonly Candidate[] => {
  const column = COLUMNS[field]
  const range = `${TEXTS[field]} WHERE mid BETWEEN ? AND ? AND ${column}`
  return literal === ''
    ? db.all<Candidate>(`${range} IS NOT NULL ORDER BY mid DESC`, from, to)
    : db.all<Candidate>(`${range} IS NOT NULL AND instr(${column}, ?) > 0 ORDER BY mid DESC`, from, to, literal)
}

export const lowestMid = (db: SqliteDatabase): number =>
  db.get<{ mid: number | null }>('SELECT min(mid) AS mid FROM message')?.mid ?? 0
