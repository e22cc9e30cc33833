/** What the demo claims, checked by the demo itself. */
export interface Checks {
  /** Prints the fact with `ok` or `FAILED` before it. */
  holds(fact: string, condition: boolean): void
  readonly count: number
  readonly failed: readonly string[]
}

export const createChecks = (print: (line: string) => void): Checks => {
  const failed: string[] = []
  let count = 0
  return {
    holds: (fact, condition) => {
      count++
      if (!condition) failed.push(fact)
      print(`  ${condition ? 'ok    ' : 'FAILED'}  ${fact}`)
    },
    get count() {
      return count
    },
    failed,
  }
}
