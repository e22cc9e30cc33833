import { existsSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { run } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { openShell } from '../support/typist.ts'

let home: string
let gateway: Serving
beforeEach(async () => {
  home = freshHome()
  gateway = await serve(home, { args: ['--hostname', 'first.example.com'] })
})
afterEach(async () => {
  await gateway.stop()
  removeHome(home)
})

/** The name by which the running listener greets. */
const greeting = async (): Promise<string> => {
  const client = await SmtpClient.open(gateway.port)
  await client.quit()
  return client.greeting
}

it('tells two shells apart that commit the same section, and loses nothing', async () => {
  const [anna, ben] = [openShell(home), openShell(home)]
  await anna.type('sethostname anna.example.com\n', /> $/)
  await ben.type('sethostname ben.example.com\n', /> $/)
  await anna.type('commit "by anna" Y\n', /Changes committed: /)
  const refused = await ben.type('commit "by ben" Y\n', /system/)
  expect(refused).toMatch(/admin/)
  expect(refused).not.toMatch(/Changes committed/)
  const draft = await ben.type('showchanges\n', /ben\.example\.com/)
  expect(draft).toMatch(/anna\.example\.com/)
  await anna.leave()
  await ben.leave()
  expect(await greeting()).toContain('anna.example.com')
})

it('merges commits to different sections', async () => {
  const [anna, ben] = [openShell(home), openShell(home)]
  await ben.type('urlretroservice enable\n', /enabled/)
  await anna.type('sethostname anna.example.com\n', /> $/)
  await anna.type('commit "by anna" Y\n', /Changes committed: /)
  await ben.type('commit "by ben" Y\n', /Changes committed: /)
  await anna.leave()
  await ben.leave()
  expect(await greeting()).toContain('anna.example.com')
  expect((await shell(home, ['-c', 'urlretroservice status'])).stdout).toMatch(/enabled/i)
})

it('rolls back to an earlier state, and the services follow without restart', async () => {
  await shell(home, [], 'sethostname second.example.com\ncommit "second" Y\n')
  expect(await greeting()).toContain('second.example.com')
  const { stdout, code } = await shell(home, ['--echo'], 'rollbackconfig\n2\ny\ny\n')
  expect(`${code} ${stdout}`).toMatch(/^0 /)
  expect(await greeting()).toContain('first.example.com')
  expect((await shell(home, ['-c', 'version', '--echo'])).stdout).toContain('first.example.com> version')
})

it.skipIf(!existsSync('/dev/full'))(
  'fails when its output cannot be written, and not when nobody reads on',
  async () => {
    const sh = async (line: string, at: string): Promise<string> => {
      const { stdout, stderr } = await run('sh', ['-c', line, program, at])
      return `${stdout}${stderr}`
    }
    const alone = freshHome()
    try {
      for (const at of [home, alone]) {
        const full = await sh('node "$0" --home "$1" -c showconfig >/dev/full; echo "status $?"', at)
        expect(full).toMatch(/the output cannot be written: .*ENOSPC/)
        expect(full).toContain('status 1')
        const gone = await sh('{ node "$0" --home "$1" -c showconfig; echo "status $?" >&2; } | head -1', at)
        expect(gone).toContain('status 0')
      }
    } finally {
      removeHome(alone)
    }
  },
)
