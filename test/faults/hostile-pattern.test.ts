import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { SmtpClient } from '../support/smtp-client.ts'

let home: string
let gateway: Serving
beforeAll(async () => {
  home = freshHome()
  mkdirSync(join(home, 'logs/ecs'), { recursive: true })
  // A backtracking engine would not come to the end of one of these lines.
  const line = `Tue Mar 29 20:20:10 2022 Info: ${'a'.repeat(30_000)}!\n`
  writeFileSync(join(home, 'logs/ecs/ecs.@20260101T000000.s'), line.repeat(1000))
  gateway = await serve(home)
}, 60_000)
afterAll(async () => {
  await gateway.stop()
  removeHome(home)
})

it('(a+)+$ over lines made for it holds up neither SMTP nor other sessions, and comes to an end', async () => {
  let over = false
  const searches = Promise.all(
    Array.from({ length: 2 }, async () => await shell(home, ['-c', 'grep "(a+)+$" ecs'], '', { timeoutMs: 90_000 })),
  ).finally(() => {
    over = true
  })
  const answers: number[] = []
  let sessions = 0
  while (!over && answers.length < 200) {
    const since = performance.now()
    ;(await SmtpClient.open(gateway.port)).close()
    answers.push(performance.now() - since)
    if (answers.length % 20 !== 0) continue
    expect((await shell(home, ['-c', 'version'])).stdout).toContain('Version:')
    sessions++
  }
  for (const { code, stdout } of await searches)
    expect(`${code} ${stdout}`).toContain('0 No results were found. Use another regular expression(s) to search.')
  answers.sort((a, b) => a - b)
  const worst = Math.round(answers[Math.floor(answers.length * 0.99)] ?? Number.NaN)
  process.stdout.write(`\nSMTP meanwhile: ${answers.length} connections, p99 ${worst} ms; ${sessions} other sessions\n`)
  expect(answers.length).toBeGreaterThan(20)
  expect(worst).toBeLessThan(1000)
}, 120_000)
