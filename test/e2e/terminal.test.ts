import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, program, removeHome, serve } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { which } from '../support/processes.ts'
import { openTmux } from '../support/tmux.ts'
import type { Tmux } from '../support/tmux.ts'

const skip = which('tmux') === null

describe.skipIf(skip)(`the shell on a terminal${skip ? ' (skipped: tmux is not installed)' : ''}`, () => {
  let home: string
  let gateway: Serving
  let terminal: Tmux
  beforeAll(async () => {
    home = freshHome()
    gateway = await serve(home, { args: ['--hostname', 'mail.example.com'] })
    terminal = await openTmux([process.execPath, program, '--home', home])
  })
  afterAll(async () => {
    await terminal.close()
    await gateway.stop()
    removeHome(home)
  })

  it('greets with the prompt', async () => await terminal.sees(/^mail\.example\.com>\s*$/m))

  it('completes commands with TAB', async () => {
    await terminal.keys('urlre', 'Tab')
    await terminal.sees(/^mail\.example\.com> urlretroservice\s*$/m)
    await terminal.keys('C-c')
  })

  it('lists the candidates of an ambiguous word', async () => {
    await terminal.keys('set', 'Tab', 'Tab')
    const screen = await terminal.sees(/sethostname.*settz/)
    expect(screen).toMatch(/> set\s*$/m)
    await terminal.keys('C-c')
  })

  it('leaves a dialogue with Ctrl-C', async () => {
    await terminal.keys('websecurityconfig', 'Enter')
    await terminal.sees(/Disable URL Filtering\? \[N\]> *$/m)
    await terminal.keys('C-c')
    await terminal.sees(/\^C[\s\S]*^mail\.example\.com>\s*$/m)
  })

  it('brings back earlier commands with Up', async () => {
    await terminal.keys('version', 'Enter')
    await terminal.sees(/> version[\s\S]*^mail\.example\.com>\s*$/m)
    await terminal.keys('Up')
    await terminal.sees(/^mail\.example\.com> version\s*$(?![\s\S]*^mail)/m)
    await terminal.keys('C-c')
  })

  it('follows a log until Ctrl-C', async () => {
    await terminal.keys('tail cli_logs', 'Enter')
    await terminal.sees(/Info: PID \d+: User admin/)
    await terminal.keys('C-c')
    await terminal.sees(/^mail\.example\.com>\s*$(?![\s\S]*Info)/m)
  })

  it('ends the shell on Ctrl-D', async () => {
    await terminal.keys('C-d')
    await terminal.ended()
  })
})
