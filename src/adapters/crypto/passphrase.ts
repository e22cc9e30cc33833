import { Fault } from '../../core/errors.ts'
import { createInTurn } from '../../core/in-turn.ts'
import type { Passphrases } from '../../services/passphrases.ts'

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane; 28 ms on the machine of spec/packages.md. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const MAX_WAITING = 32

/** argon2id, one hash at a time behind a bounded queue. The package is loaded with the first hash. */
export const createPassphrases = (): Passphrases => {
  const oneByOne = createInTurn()
  let waiting = 0
  let decoy: string | null = null

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting >= MAX_WAITING) throw new Fault('STORE_BUSY', 'too many passphrases wait to be checked')
    waiting++
    try {
      return await oneByOne(work)
    } finally {
      waiting--
    }
  }
  const library = async () => await import('@node-rs/argon2')

  return {
    hash: async (plain) => await inTurn(async () => (await library()).hash(plain, COST)),
    verify: async (hash, plain) =>
      await inTurn(async () => {
        const { hash: make, verify } = await library()
        const known = hash ?? (decoy ??= await make('nobody has this passphrase', COST))
        try {
          return (await verify(known, plain)) && hash !== null
        } catch {
          // A stored text that is no hash lets nobody in.
          return false
        }
      }),
  }
}
