import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BEHAVIOURS, defaultHostAccess, plainPolicy } from '../../../../src/config/sections/host-access.ts'
import type { HostAccess } from '../../../../src/config/sections/host-access.ts'
import {
  addGroup,
  addHosts,
  findGroup,
  moveGroup,
  moveHost,
  removeHost,
  removePolicy,
} from '../../../../src/shell/access/hat-edit.ts'
import { printHostAccess, readHostAccess } from '../../../../src/shell/access/hat-text.ts'
import { printRecipientAccess, readRecipientAccess } from '../../../../src/shell/access/rat-text.ts'

const table = defaultHostAccess('public')

describe('the Host Access Table as text', () => {
  it('prints as AsyncOS prints it', () => {
    const text = printHostAccess(table).join('\n')
    expect(text).toContain('$ACCEPTED\n    ACCEPT\n$THROTTLED\n    ACCEPT {\n        max_message_size = 10485760\n')
    expect(text).toContain('        sdr = "off"\n    }\n$BLOCKED\n    REJECT\n')
    expect(text).toContain('BLOCKED_LIST:\n    sbrs[-10.0:-3.0]\n        $BLOCKED (Spammers are rejected)\n')
    expect(text.endsWith('ALL\n    $ACCEPTED')).toBe(true)
  })

  const word = fc.stringMatching(/^[A-Z][A-Z0-9_-]{0,10}$/)
  const comment = fc.stringMatching(/^(?:[a-z]([a-z ()]{0,10}[a-z])?)?$/)
  const tables: fc.Arbitrary<HostAccess> = fc
    .record({
      policies: fc.uniqueArray(
        fc.record({
          name: word,
          behaviour: fc.constantFrom(...BEHAVIOURS),
          maxRecipients: fc.option(fc.integer({ min: 1, max: 100_000 })),
          maxRecipientsPerHour: fc.option(fc.integer({ min: -1, max: 1000 })),
          tls: fc.option(fc.constantFrom('off' as const, 'preferred' as const, 'required' as const)),
          spf: fc.option(fc.boolean()),
          rejectText: fc.option(fc.stringMatching(/^[a-zA-Z.,#{}()= ]{0,20}$/).map((s) => s.trim())),
        }),
        { selector: (p) => p.name, minLength: 1, maxLength: 4 },
      ),
      groups: fc.uniqueArray(
        fc.record({
          name: word,
          hosts: fc.array(
            fc.constantFrom(
              '10.1.1.1',
              '10.1.1.0/24',
              '10.1.1.10-20',
              '10.1.',
              'a.example',
              '.b.example',
              'sbrs[none]',
              'sbrs[-1.0:2.5]',
              'dnslist[bl.example]',
              'ALL',
              '2001:db8::/32',
            ),
            { maxLength: 5 },
          ),
          policy: fc.constantFrom<string>(...BEHAVIOURS),
          comment,
        }),
        { selector: (g) => g.name, maxLength: 4 },
      ),
    })
    .map(({ policies, groups }) => ({
      policies: policies.map((p) => ({ ...plainPolicy(p.name, p.behaviour), ...p })),
      groups,
      otherwise: `$${policies[0]?.name ?? ''}`,
    }))

  it('reads back what it printed', () => {
    fc.assert(
      fc.property(tables, (t) => {
        expect(readHostAccess(printHostAccess(t).join('\n'))).toEqual({ ok: true, table: t })
      }),
      { numRuns: 200 },
    )
  })

  it('never throws, whatever a file holds, and finds a line for each fault', () => {
    const lines = fc.array(
      fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.constantFrom(
          '$P',
          '    ACCEPT {',
          '    }',
          'G:',
          '    $P',
          '        $P (x)',
          'ALL',
          '    10.1.1.1',
          '        tls = "on"',
          '# x',
        ),
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(lines, (all) => {
        const result = readHostAccess(all.join('\n'))
        if (!result.ok)
          for (const { line } of result.errors)
            expect(line >= 1 && line <= Math.max(1, all.join('\n').split('\n').length)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['$P\n    ACCEPT\nG:\n    10.1.1.0/99\n        $P\nALL\n    $P', 4, 'A host must be one of'],
    ['$P\n    MAYBE\nALL\n    ACCEPT', 2, 'A behaviour must be one of'],
    ['$P\n    ACCEPT {\n        speed = 3\n    }\nALL\n    $P', 3, 'A parameter must be one of'],
    ['$P\n    ACCEPT {\n        tls = "maybe"\n    }\nALL\n    $P', 3, 'tls: The value must be one of'],
    ['$P\n    ACCEPT {\n        tls = "off"', 2, 'no closing }'],
    ['G:\n    10.1.1.1\nALL\n    ACCEPT', 1, 'The sender group G has no policy.'],
    ['G:\n        $NONE\nALL\n    ACCEPT\n', 2, 'G names the policy $NONE'],
    ['G:\n        ACCEPT\nALL\n    $NONE\n\n', 4, 'ALL names the policy $NONE'],
    ['10.1.1.1\n    ACCEPT\nALL\n    ACCEPT', 1, 'Indent the entries'],
    ['# nothing', 1, 'no entry ALL'],
  ])('of %j says at line %i: %s', (text, line, message) => {
    const result = readHostAccess(text)
    expect(result.ok ? [] : result.errors).toContainEqual({ line, message: expect.stringContaining(message) as string })
  })
})

describe('edits of the Host Access Table', () => {
  const blocked = () => findGroup(table, 'blocked_list')

  it('add, move and remove hosts', () => {
    const more = addHosts(table, blocked(), ['10.1.1.1', 'sbrs[-10.0:-3.0]', '.bad.example'])
    expect(findGroup(more, 'BLOCKED_LIST').hosts).toEqual(['sbrs[-10.0:-3.0]', '10.1.1.1', '.bad.example'])
    const moved = moveHost(more, findGroup(more, 'BLOCKED_LIST'), '.BAD.example', 'SBRS[-10:-3]')
    expect(findGroup(moved, 'BLOCKED_LIST').hosts).toEqual(['.bad.example', 'sbrs[-10.0:-3.0]', '10.1.1.1'])
    const less = removeHost(moved, findGroup(moved, 'BLOCKED_LIST'), 'sbrs[-10.0:-3.0]')
    expect(findGroup(less, 'BLOCKED_LIST').hosts).toEqual(['.bad.example', '10.1.1.1'])
    expect(() => removeHost(less, findGroup(less, 'BLOCKED_LIST'), '10.9.9.9')).toThrow('has no entry')
  })

  it('order groups', () => {
    const next = moveGroup(table, findGroup(table, 'UNKNOWNLIST'), findGroup(table, 'ALLOWED_LIST'))
    expect(next.groups.map((g) => g.name)).toEqual(['UNKNOWNLIST', 'ALLOWED_LIST', 'BLOCKED_LIST', 'SUSPECTLIST'])
    expect(moveGroup(table, blocked(), blocked()).groups).toEqual(table.groups)
  })

  it('refuse a name that is taken, and to remove a policy that is in use', () => {
    expect(() => addGroup(table, { ...blocked(), name: 'Blocked_List' })).toThrow('already')
    expect(() =>
      removePolicy(table, table.policies.find((p) => p.name === 'BLOCKED') ?? plainPolicy('x', 'REJECT')),
    ).toThrow('in use by BLOCKED_LIST')
  })
})

describe('the Recipient Access Table as text', () => {
  const entries = [
    {
      address: 'joe@example.com',
      access: 'reject',
      bypassLimits: false,
      bypassValidation: false,
      replyCode: 550,
      replyText: 'moved away',
    },
    {
      address: 'example.com',
      access: 'accept',
      bypassLimits: true,
      bypassValidation: true,
      replyCode: null,
      replyText: null,
    },
  ] as const

  it('has the address in its first column, and reads back', () => {
    const text = printRecipientAccess(entries).join('\n')
    expect(text).toBe(
      'joe@example.com                REJECT 550 "moved away"\nexample.com                    ACCEPT BYPASS BYPASS_CA\nALL                            REJECT',
    )
    expect(readRecipientAccess(text)).toEqual({ ok: true, entries })
  })

  it.each([
    ['example.com', 1, 'The line must be'],
    ['# x\nexam ple ACCEPT', 2, 'The line must be'],
    ['a@@b ACCEPT', 1, 'The value must be a domain'],
    ['a.example ACCEPT\nA.example REJECT', 2, 'stands twice'],
    ['a.example ACCEPT\nbücher.example ACCEPT\nxn--bcher-kva.example REJECT', 3, 'stands twice'],
    ['a.example ACCEPT 550 "no"', 1, 'a code from 250 to 259'],
    ['a.example REJECT 250 "yes"', 1, 'a code from 400 to 599'],
  ])('of %j says at line %i: %s', (text, line, message) => {
    const result = readRecipientAccess(text)
    expect(result.ok ? [] : result.errors).toContainEqual({ line, message: expect.stringContaining(message) as string })
  })
})
