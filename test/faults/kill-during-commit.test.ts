import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import { freePort } from '../support/ports.ts'
import { openShell } from '../support/typist.ts'

const ROUNDS = Math.max(4, Math.floor(Number(process.env['LYCHGATE_FAULT_ROUNDS'] ?? 3) / 2))

/** Two settings of two sections that always change together: a mixture of revisions would tell them apart. */
const settings = (host: string): string =>
  `sethostname ${host}.example.com\nurlretroservice ${host === 'new' ? 'enable' : 'disable'}\n`

describe('kill -9 during commit', () => {
  let home: string
  let port: number
  beforeAll(async () => {
    home = freshHome()
    port = await freePort()
    const { code, stderr } = await shell(home, ['--smtp', `127.0.0.1:${port}`], `${settings('old')}commit "first" Y\n`)
    expect(`${code} ${stderr}`).toMatch(/^0 /)
  })
  afterAll(() => removeHome(home))

  it.each(Array.from({ length: ROUNDS }, (_, i) => i))(
    'round %i leaves the old or the new revision, and the appliance starts',
    async (round) => {
      const host = round % 2 === 0 ? 'new' : 'old'
      const gateway = await serve(home, { port })
      const operator = openShell(home)
      await operator.type(settings(host), /(enabled|disabled)\./)
      const committed = operator.type(`commit "round ${round}" Y\n`, /Changes committed/).then(
        () => true,
        () => false,
      )
      // From before the commit is read to after it is answered, in steps of 2 ms.
      await new Promise((resolve) => setTimeout(resolve, (round * 2) % 60))
      await gateway.kill()
      await operator.leave()
      void committed
      const { stdout, code } = await shell(home, ['-c', 'commitdetail; showconfig'])
      expect(code).toBe(0)
      const isNew = /new\.example\.com/.test(stdout)
      const isOld = /old\.example\.com/.test(stdout)
      expect([isNew, isOld]).toContain(true)
      expect(isNew && isOld).toBe(false)
      const after = await shell(home, ['-c', 'urlretroservice status'])
      expect(after.stdout).toMatch(isNew ? /enabled/i : /disabled/i)
    },
  )
})
