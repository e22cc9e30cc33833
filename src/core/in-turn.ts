export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** A line of work: one piece at a time, in the order of the calls. What fails fails for its caller; the next goes on. */
export const createInTurn = (): InTurn => {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work)
    last = mine.catch(() => undefined)
    return mine
  }
}
