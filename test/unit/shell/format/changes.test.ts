import { expect, test } from 'vitest'
import { diffSection } from '../../../../src/config/diff.ts'
import type { AnySection } from '../../../../src/config/document.ts'
import { logSubscriptions } from '../../../../src/config/sections/log-subscriptions.ts'
import { smtpRoutes } from '../../../../src/config/sections/smtp-routes.ts'
import { changeTree } from '../../../../src/shell/format/changes.ts'

test('items are told apart by their name or domain, and dots in it do not open a level', () => {
  const before = [
    { domain: 'a.example', hosts: ['10.1.1.1'] },
    { domain: 'b.example', hosts: ['10.1.1.2'] },
  ]
  const after = [
    { domain: 'b.example', hosts: ['10.1.1.2', '10.1.1.3'] },
    { domain: 'a.example', hosts: ['10.1.1.1'] },
  ]
  expect(changeTree(diffSection(smtpRoutes as unknown as AnySection, before, after))).toEqual([
    'smtp_routes',
    '  b.example',
    '    hosts: (none) -> 10.1.1.3',
    '  (order): a.example, b.example -> b.example, a.example',
  ])
})

test('siblings share their heads, and control characters are escaped', () => {
  const before = logSubscriptions.defaults.filter((s) => s.name === 'cli_logs')
  const after = before.map((s) => ({ ...s, level: 'Debug', maxFiles: 3 }))
  expect(changeTree(diffSection(logSubscriptions as unknown as AnySection, before, after))).toEqual([
    'log_subscriptions',
    '  cli_logs',
    '    level: Info -> Debug',
    '    max_files: 10 -> 3',
  ])
  expect(changeTree([{ path: 'a.b', before: null, after: 'x\u001b[31m\n' }])).toEqual([
    'a',
    '  b: (not set) -> x\\x1b[31m\\n',
  ])
})
