import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { systemPrograms } from '../../../../src/adapters/net/programs.ts'
import { UserError } from '../../../../src/core/errors.ts'
import { recordedMachine } from '../../../support/machine.ts'

const folder = mkdtempSync(join(tmpdir(), 'lg-programs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const program = (script: string): void => {
  writeFileSync(join(folder, 'ping'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'ping'), 0o755)
}
const lines = async (found: AsyncIterable<string>): Promise<readonly string[]> => {
  const all: string[] = []
  for await (const line of found) all.push(line)
  return all
}
const wish = (host: string, count: number | null = null, source: string | null = null) => ({ host, count, source })
const never = (): AbortSignal => new AbortController().signal

describe('a program of the system', () => {
  it('gets its arguments as they are, and an environment of ours', async () => {
    program('echo "$#:$1:$2:$3"; echo "${HOME-none} $LC_ALL"; echo "unreachable" >&2')
    expect(await lines(systemPrograms([folder])('ping', wish('mail.example.com', 4), never()))).toEqual([
      '3:-c:4:mail.example.com',
      'none C',
      'unreachable',
    ])
  })

  it.each([
    ['192.0.2.1', '-4:-I:192.0.2.1:mail.example.com'],
    ['2001:db8::1', '-6:-I:2001:db8::1:mail.example.com'],
  ])('sends from %s', async (source, words) => {
    program('IFS=:; echo "$*"')
    const run = systemPrograms([folder])
    expect(await lines(run('ping', wish('mail.example.com', null, source), never()))).toEqual([words])
    expect(() => run('ping', wish('mail.example.com', null, '-f'), never())).toThrow(UserError)
  })

  it.each(['-c', 'a b', '$(id)', 'x;y', ''])('never runs for the host %j', (host) => {
    program('echo ran')
    expect(() => systemPrograms([folder])('ping', wish(host), never())).toThrow(UserError)
  })

  it('that is not installed says at once what to install', () => {
    expect(() => systemPrograms([join(folder, 'none')])('ping', wish('localhost'), never())).toThrow(
      "ping is not installed on this machine: install the package 'iputils-ping'",
    )
  })

  it('is interrupted by Ctrl-C and may still say its summary', async () => {
    program('trap "echo summary; exit 0" INT; echo begun; while :; do sleep 0.05; done')
    const stop = new AbortController()
    const seen: string[] = []
    for await (const line of systemPrograms([folder])('ping', wish('localhost'), stop.signal)) {
      seen.push(line)
      stop.abort()
    }
    expect(seen).toEqual(['begun', 'summary'])
  })

  it('shows what it prints', async () => {
    const run = systemPrograms(recordedMachine.programs)
    expect((await lines(run('traceroute', wish('127.0.0.1'), never()))).length).toBe(2)
  })
})
