import type { Session } from '../command.ts'

/** The lines of the configuration file's comment that tell which appliance wrote it, and when. */
export const configurationHeader = ({ appliance }: Session): readonly string[] => [
  'Product: Lychgate Email Security Gateway',
  'Model: Lychgate',
  `Version: ${appliance.version}`,
  `Serial Number: ${appliance.serial}`,
  `Current Time: ${appliance.time.stampZone(appliance.env.clock.now())}`,
]

/** Answers to the question about passphrases, in the order of its list. */
export const PASSPHRASES = ['mask', 'encrypt'] as const
export type Passphrases = (typeof PASSPHRASES)[number]

const LABELS: Readonly<Record<Passphrases, string>> = {
  mask: 'Mask passphrases (Files with masked passphrases cannot be loaded using loadconfig command)',
  encrypt: 'Encrypt passphrases',
}

export const askPassphrases = (session: Session): Promise<Passphrases> =>
  session.ask.pick('Choose the passphrase option:', PASSPHRASES, (p) => LABELS[p], 0)

/** `y`, `1`, `mask` → mask; `n`, `2`, `encrypt` → encrypt; null = none of them. */
export const passphrasesWord = (word: string): Passphrases | null => {
  const w = word.toLowerCase()
  if (['y', 'yes', '1', 'mask'].includes(w)) return 'mask'
  return ['n', 'no', '2', 'encrypt'].includes(w) ? 'encrypt' : null
}
