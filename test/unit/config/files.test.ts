import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listConfigurationFiles, readConfigurationFile, writeConfigurationFile } from '../../../src/config/files.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-files-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

test('a written file is the owner’s alone, is read back, and is never overwritten', async () => {
  const path = await writeConfigurationFile(home, 'a.xml', ['one', 'zwei ü'])
  expect(path).toBe(join(home, 'configuration', 'a.xml'))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await readConfigurationFile(home, 'a.xml')).toBe('one\nzwei ü\n')
  await expect(writeConfigurationFile(home, 'a.xml', ['other'])).rejects.toThrow('A file a.xml exists already')
  expect(readFileSync(path, 'utf8')).toBe('one\nzwei ü\n')
  expect(readdirSync(join(home, 'configuration'))).toEqual(['a.xml'])
  expect(await listConfigurationFiles(home)).toEqual(['a.xml'])
})

test.each(['../a', '/etc/passwd', 'a/b', '.hidden', '', '-x', 'a\0b', 'a\nb', '..'])(
  'the name %j cannot leave the directory',
  async (name) => {
    await expect(readConfigurationFile(home, name)).rejects.toThrow('The file name must have only')
    await expect(writeConfigurationFile(home, name, [])).rejects.toThrow('The file name must have only')
  },
)

test('links, directories and missing files are refused in one line', async () => {
  const directory = join(home, 'configuration')
  mkdirSync(join(directory, 'folder'), { recursive: true })
  writeFileSync(join(home, 'secret'), 'x')
  symlinkSync(join(home, 'secret'), join(directory, 'link.xml'))
  await expect(readConfigurationFile(home, 'link.xml')).rejects.toThrow('link.xml is a link')
  await expect(readConfigurationFile(home, 'folder')).rejects.toThrow('folder is not a plain file.')
  await expect(readConfigurationFile(home, 'none.xml')).rejects.toThrow('There is no file none.xml')
  expect(await listConfigurationFiles(home)).toEqual([])
})

test('text that is not UTF-8 is refused with its line', async () => {
  mkdirSync(join(home, 'configuration'))
  writeFileSync(join(home, 'configuration', 'latin1.xml'), Buffer.from('a\nb\ncaf\xe9\n', 'latin1'))
  await expect(readConfigurationFile(home, 'latin1.xml')).rejects.toThrow(
    'latin1.xml, line 3: the text is not in UTF-8.',
  )
})
