import type { Clock } from '../core/clock.ts'
import { Fault, UserError, errorText } from '../core/errors.ts'
import type { Issue } from '../core/errors.ts'
import type { AnySection, ConfigDocument } from './document.ts'
import { readerOf } from './document.ts'
import type { ConfigConsumer } from './section.ts'

export type AnyConsumer = ConfigConsumer<unknown>

/** One commit on its way: what was, what shall be, and which sections differ. */
export interface Transition {
  readonly next: ConfigDocument
  readonly previous: ConfigDocument
  readonly changed: ReadonlySet<string>
}

/** A consumer that does not answer within this is taken to have failed. */
const CONSUMER_MS = 60_000

/** @throws Fault TIMED_OUT when `work` has not ended after `ms`. */
const within = async <T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> => {
  const done = new AbortController()
  const late = clock.sleep(ms, done.signal).then(() => {
    throw new Fault('TIMED_OUT', `${what} did not answer within ${ms / 1000} seconds`)
  })
  // When the work ends first the sleep is aborted, and nobody waits for its rejection.
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    done.abort(new Fault('INTERNAL', 'no longer needed'))
  }
}

/**
 * Section names such that each stands after those that it depends on; otherwise in the given order.
 * @throws Error on a cycle or a name that does not exist.
 */
export const applyOrder = (sections: readonly AnySection[]): readonly string[] => {
  const byName = new Map(sections.map((s) => [s.name, s]))
  const order: string[] = []
  const open = new Set<string>()
  const visit = (name: string): void => {
    if (order.includes(name)) return
    const section = byName.get(name)
    if (!section || open.has(name)) throw new Error(`configuration section '${name}' is missing or depends on itself`)
    open.add(name)
    for (const needed of section.dependsOn ?? []) visit(needed)
    order.push(name)
  }
  for (const section of sections) visit(section.name)
  return order
}

/** @throws UserError with every error on one line after `before`; answers the texts of the warnings. */
export const refuseErrors = (issues: readonly Issue[], before = ''): readonly string[] => {
  const errors = issues.filter((i) => i.severity === 'error')
  if (errors.length > 0) throw new UserError(`${before}${errors.map((e) => e.message).join(' ')}`)
  return issues.map((i) => i.message)
}

/** Cross-section rules over the whole document. */
export const verifyDocument = (sections: readonly AnySection[], document: ConfigDocument): readonly Issue[] => {
  const whole = readerOf(() => document)
  return sections.flatMap((s) => s.verify?.(document[s.name] as never, whole) ?? [])
}

/** Asks everyone concerned whether they could; nobody acts. */
export const prepareAll = async (
  consumers: readonly AnyConsumer[],
  { next, previous }: Transition,
  clock: Clock,
): Promise<readonly Issue[]> => {
  const whole = readerOf(() => next)
  const issues: Issue[] = []
  for (const consumer of consumers) {
    const { name } = consumer.section
    const answer = consumer.prepare?.(next[name], previous[name], whole)
    if (answer) issues.push(...(await within(clock, CONSUMER_MS, `${name}: preparing`, answer)))
  }
  return issues
}

/** Why an apply failed, and what could not be brought back. */
export interface ApplyFailure {
  readonly section: string
  readonly reason: string
  readonly notUndone: readonly string[]
}

const applyOne = async (
  consumer: AnyConsumer,
  next: ConfigDocument,
  previous: ConfigDocument,
  clock: Clock,
): Promise<void> => {
  const { name } = consumer.section
  const work = consumer.apply(
    next[name],
    previous[name],
    readerOf(() => next),
  )
  await within(clock, CONSUMER_MS, `${name}: applying`, work)
}

/** Applies in order. On a failure everyone who had begun is called backwards, the one that failed included. */
export const applyAll = async (
  consumers: readonly AnyConsumer[],
  { next, previous }: Transition,
  clock: Clock,
): Promise<ApplyFailure | null> => {
  const begun: AnyConsumer[] = []
  for (const consumer of consumers) {
    begun.push(consumer)
    try {
      await applyOne(consumer, next, previous, clock)
    } catch (error) {
      const notUndone: string[] = []
      for (const back of begun.reverse()) {
        try {
          await applyOne(back, previous, next, clock)
        } catch (undo) {
          notUndone.push(`${back.section.name} (${errorText(undo)})`)
        }
      }
      return { section: consumer.section.name, reason: errorText(error), notUndone }
    }
  }
  return null
}

/** One commit at a time. A second waits, up to `waitMs`, and is told who holds the first. */
export const commitQueue = (clock: Clock, waitMs: number) => {
  let tail: Promise<void> = Promise.resolve()
  let holder = ''
  return async <T>(user: string, work: () => Promise<T>): Promise<T> => {
    const before = tail
    let leave = (): void => undefined
    const mine = new Promise<void>((resolve) => (leave = resolve))
    tail = before.then(async () => mine)
    try {
      await within(clock, waitMs, 'the commit before', before)
    } catch {
      leave()
      throw new UserError(`A commit of ${holder} is still under way: nothing was changed. Please try again.`)
    }
    holder = user
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
