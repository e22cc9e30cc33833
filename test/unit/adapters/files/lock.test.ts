import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { counterFile } from '../../../../src/adapters/files/counters.ts'
import { historyFile } from '../../../../src/adapters/files/history.ts'
import { lockHome } from '../../../../src/adapters/files/lock.ts'
import { COUNTER_NAMES } from '../../../../src/events/counters.ts'
import { createHistory } from '../../../../src/shell/history.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lg-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the lock of a home', () => {
  it('is held once, and free again after its release', async () => {
    const path = join(folder, 'lychgate.lock')
    const lock = await lockHome(path, 0)
    await expect(lockHome(path, 0)).rejects.toThrow(`Another lychgate (process ${process.pid}) uses ${folder}`)
    lock.release()
    expect(existsSync(path)).toBe(false)
    ;(await lockHome(path, 0)).release()
  })

  it('names the home when it cannot be used', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    await expect(lockHome(join(file, 'lychgate.lock'), 0)).rejects.toThrow(`The home directory ${file} cannot be used`)
  })

  it.skipIf(!existsSync('/proc/self'))('is refused, and does not hang, where no folder can be made', async () => {
    await expect(lockHome('/proc/none/such/lychgate.lock', 0)).rejects.toThrow('The home directory /proc/none/such')
  })

  it.each(['999999999 5', `${process.pid} 1`, 'rubbish', ''])(
    'is taken over from a process that is gone (%j)',
    async (holder) => {
      const path = join(folder, 'lychgate.lock')
      writeFileSync(path, `${holder}\n`)
      const lock = await lockHome(path, 0)
      expect(readFileSync(path, 'utf8')).toContain(String(process.pid))
      lock.release()
    },
  )
})

describe('the history of a user', () => {
  it('survives the session, for its owner alone, without repeats and secrets', () => {
    const path = join(folder, 'history', 'admin')
    const history = createHistory(historyFile(path))
    for (const line of ['version', 'version', '  ', 'saveconfig --passphrase=x', 'status']) history.add(line)
    expect(createHistory(historyFile(path)).entries()).toEqual(['version', 'status'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('has a limit', () => {
    const history = createHistory({ load: () => [], save: () => undefined })
    for (let i = 0; i < 600; i++) history.add(`command ${i}`)
    expect(history.entries()).toHaveLength(500)
    expect(history.entries().at(-1)).toBe('command 599')
  })

  it('works on in a directory that cannot be written', () => {
    writeFileSync(join(folder, 'file'), '')
    const history = createHistory(historyFile(join(folder, 'file', 'admin')))
    history.add('version')
    expect(history.entries()).toEqual(['version'])
  })
})

describe('the file of the counters', () => {
  it('gives back what was saved, and nothing for a damaged one', () => {
    const file = counterFile(join(folder, 'counters.json'), COUNTER_NAMES)
    expect(file.load()).toBeNull()
    const lifetime = Object.fromEntries(COUNTER_NAMES.map((n, i) => [n, i])) as never
    const reset = { at: new Date('2022-03-29T00:00:00Z'), values: lifetime }
    file.save({ lifetime, reset })
    expect(file.load()).toEqual({ lifetime, reset })
    writeFileSync(join(folder, 'counters.json'), '{"lifetime": {"messagesReceived": -4}')
    expect(file.load()).toBeNull()
  })
})
