import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { run, which } from '../support/processes.ts'
import type { Finished } from '../support/processes.ts'

const why = process.getuid?.() !== 0 ? 'not root' : which('setpriv') === null ? 'no setpriv' : null

describe.skipIf(why !== null)(`sockets of system users${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let home: string
  let gateway: Serving
  beforeEach(async () => {
    home = freshHome()
    gateway = await serve(home)
  })
  afterEach(async () => {
    await gateway.stop()
    removeHome(home)
  })
  const as = async (user: string, command: string): Promise<Finished> =>
    await run('setpriv', [
      `--reuid=${user}`,
      '--clear-groups',
      process.execPath,
      program,
      '--home',
      home,
      '-c',
      command,
    ])

  it('make a system user the account that an administrator named, and nobody else', async () => {
    const script = 'userconfig\nnew\nben\nBen\n2\ny\nsocket\n2\nnobody\n\ncommit "socket" N\n'
    expect((await shell(home, [], script)).code).toBe(0)
    const path = join(home, 'sockets/nobody')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(path).uid).not.toBe(0)
    expect((await as('nobody', 'whoami')).stdout).toContain('Username: ben')
    expect((await as('nobody', 'userconfig print')).stdout).toContain('Unknown command')
    const stranger = await as('daemon', 'whoami')
    expect(`${stranger.code} ${stranger.stderr}`).toMatch(/^1 .*belongs to another user/)
    expect((await shell(home, [], 'userconfig\nsocket\n2\n\n\ncommit "none" N\n')).code).toBe(0)
    expect((await as('nobody', 'whoami')).code).toBe(1)
  })
})
