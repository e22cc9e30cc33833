const MASK = '*****'
const SECRET_OPTION = /(--?[\w-]*(?:pass(?:word|phrase)|secret|token|key)[\w-]*[= ])("[^"]*"|'[^']*'|[^\s;]+)/gi
const SECRET_URL = /(:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g

/** A command line as cli_logs and the history may show it: values of `--passphrase=…` and `user:secret@` are masked. */
export const maskSecrets = (line: string): string =>
  line.replace(SECRET_OPTION, `$1${MASK}`).replace(SECRET_URL, `$1${MASK}`)

/** Lines that carry a secret are not kept in the history at all. */
export const hasSecret = (line: string): boolean => maskSecrets(line) !== line
