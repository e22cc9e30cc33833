import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogFileWriter } from '../../../../src/adapters/files/log-writer.ts'
import { fileStamp } from '../../../../src/core/timezone.ts'
import type { LogFileHooks, LogFileSettings } from '../../../../src/logs/ports.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

let home = ''
let clock = new FakeClock()
const told: string[] = []
const hooks: LogFileHooks = {
  now: () => clock.now(),
  fileStamp: (at) => fileStamp(at, 0),
  begin: () => 'begin\n',
  end: (reason) => `end ${reason}\n`,
  lost: (n, error) => `lost ${n}: ${error}\n`,
  removed: (path) => void told.push(`removed ${path.split('/').at(-1)}`),
  failing: (error) => void told.push(`failing ${error.slice(0, 6)}`),
}
const settings = (more: Partial<LogFileSettings> = {}): LogFileSettings => ({
  directory: join(home, 'mail_logs'),
  fileName: 'mail',
  rolloverBytes: 4096,
  maxFiles: 10,
  ...more,
})
const names = (): readonly string[] => readdirSync(join(home, 'mail_logs')).sort()
const text = (name: string): string => readFileSync(join(home, 'mail_logs', name), 'utf8')

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-log-'))
  told.length = 0
  clock = new FakeClock('2022-03-29T20:20:10Z')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

describe('the log file writer', () => {
  it('names the open file by local time and links to it', async () => {
    const writer = createLogFileWriter(settings(), hooks)
    writer.append('one\n')
    await writer.flush()
    expect(names()).toEqual(['mail.@20220329T202010.c', 'mail.current'])
    expect(readlinkSync(join(home, 'mail_logs', 'mail.current'))).toBe('mail.@20220329T202010.c')
    expect(text('mail.current')).toBe('begin\none\n')
    expect(statSync(join(home, 'mail_logs')).mode & 0o777).toBe(0o700)
    expect(statSync(join(home, 'mail_logs', 'mail.current')).mode & 0o777).toBe(0o600)
    expect(writer.files()).toMatchObject([{ current: true, bytes: 10, openedAt: new Date('2022-03-29T20:20:10Z') }])
    await writer.close()
  })

  it('rolls over by rename, twice in one second too, and loses nothing', async () => {
    const writer = createLogFileWriter(settings(), hooks)
    writer.append('one\n')
    await writer.rollover()
    writer.append('two\n')
    await writer.rollover()
    await writer.close()
    expect(names()).toEqual([
      'mail.@20220329T202010.s',
      'mail.@20220329T202011.s',
      'mail.@20220329T202012.c',
      'mail.current',
    ])
    expect(text('mail.@20220329T202010.s')).toBe('begin\none\nend rollover\n')
    expect(text('mail.@20220329T202011.s')).toBe('begin\ntwo\nend rollover\n')
    expect(text('mail.current')).toBe('begin\nend stop\n')
  })

  it('rolls over by size and keeps no more files than asked', async () => {
    const writer = createLogFileWriter(settings({ maxFiles: 3 }), hooks)
    const line = `${'x'.repeat(999)}\n`
    for (let i = 0; i < 50; i++) writer.append(line)
    await writer.close()
    const files = names().filter((n) => n !== 'mail.current')
    expect(files).toHaveLength(3)
    expect(Math.max(...files.map((f) => text(f).length))).toBeLessThan(4096 + 1100)
    expect(told.filter((t) => t.startsWith('removed'))).not.toHaveLength(0)
  })

  it('goes on in the file that a restart or a crash left open, after ending a half line', async () => {
    mkdirSync(join(home, 'mail_logs'))
    writeFileSync(join(home, 'mail_logs', 'mail.@20220329T101010.c'), 'older\n')
    writeFileSync(join(home, 'mail_logs', 'mail.@20220329T111010.c'), 'begin\nhalf a li')
    const writer = createLogFileWriter(settings(), hooks)
    writer.append('next\n')
    await writer.flush()
    expect(names()).toEqual(['mail.@20220329T101010.s', 'mail.@20220329T111010.c', 'mail.current'])
    expect(text('mail.current')).toBe('begin\nhalf a li\nbegin\nnext\n')
    await writer.close()
  })

  it('opens no file while there is nothing to write', async () => {
    const writer = createLogFileWriter(settings(), hooks)
    await writer.flush()
    await writer.close()
    expect(existsSync(join(home, 'mail_logs'))).toBe(false)
  })

  it('drops lines while the disk fails, says so once, and counts them when it works again', async () => {
    writeFileSync(join(home, 'blocked'), 'a file where the directory should be')
    const writer = createLogFileWriter(settings({ directory: join(home, 'blocked') }), hooks)
    writer.append('one\n')
    writer.append('two\n')
    await writer.flush()
    writer.append('three\n')
    await writer.flush()
    expect(told).toHaveLength(1)
    rmSync(join(home, 'blocked'))
    await clock.advance(1001)
    writer.append('four\n')
    await writer.flush()
    expect(readFileSync(join(home, 'blocked', 'mail.current'), 'utf8')).toMatch(/^begin\nlost 3: .+\nfour\n$/)
    await writer.close()
  })

  it('refuses a roll-over that it cannot do with a fault, and goes on writing', async () => {
    writeFileSync(join(home, 'blocked'), 'a file')
    const writer = createLogFileWriter(settings({ directory: join(home, 'blocked', 'mail_logs') }), hooks)
    await expect(writer.rollover()).rejects.toMatchObject({ code: 'STORE_FULL' })
    await writer.close()
  })

  it('keeps the order of names when the clock goes back', async () => {
    const writer = createLogFileWriter(settings(), hooks)
    writer.append('one\n')
    await writer.rollover()
    const back = new FakeClock('2022-03-29T19:00:00Z')
    const later = createLogFileWriter(settings(), { ...hooks, now: () => back.now() })
    await later.rollover()
    expect(later.files().map((f) => f.path.slice(-9))).toEqual(
      ['202010.s', '202011.s', '202012.c'].map((n) => n.padStart(9, 'T')),
    )
    await later.close()
    await writer.close()
  })

  it('leaves the files of other stems alone', async () => {
    mkdirSync(join(home, 'mail_logs'))
    writeFileSync(join(home, 'mail_logs', 'other.@20220329T101010.c'), 'x')
    const writer = createLogFileWriter(settings({ maxFiles: 1 }), hooks)
    await writer.rollover()
    await writer.rollover()
    await writer.close()
    expect(names()).toContain('other.@20220329T101010.c')
  })
})
