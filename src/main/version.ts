import { existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** package.json beside dist/, or two levels up when the sources run. */
const packageFile = [new URL('../package.json', import.meta.url), new URL('../../package.json', import.meta.url)].find(
  (url) => existsSync(url),
)

/** `0.1.0` */
export const version = packageFile
  ? (JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string }).version
  : '0.0.0'

/** Day on which the running file was built. */
export const buildDate = statSync(fileURLToPath(import.meta.url))
  .mtime.toISOString()
  .slice(0, 10)
