import { execFileSync } from 'node:child_process'

/** Worker threads run built files; build once before the tests. */
export default (): void => {
  execFileSync(process.execPath, [new URL('build.mjs', import.meta.url).pathname], { stdio: 'inherit' })
}
