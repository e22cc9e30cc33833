import { afterEach, expect, test } from 'vitest'
import { defaultListener, listeners } from '../../../src/config/sections/listeners.ts'
import { sdr } from '../../../src/config/sections/sdr.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { system } from '../../../src/config/sections/system.ts'
import { intelligence } from '../../../src/config/sections/intelligence.ts'
import { settle } from '../../support/fake-clock.ts'
import { openTestConfig, removeTestConfig, testSecrets } from '../../support/config-store.ts'
import type { TestConfig } from '../../support/config-store.ts'

const opened: TestConfig[] = []
const open = async (options: Parameters<typeof openTestConfig>[0] = {}): Promise<TestConfig> => {
  const config = await openTestConfig(options)
  opened.push(config)
  return config
}
afterEach(async () => {
  for (const config of opened.splice(0)) {
    await config.close()
    removeTestConfig(config.path)
  }
})

const by = (user: string, comment = 'a change', keepForRollback = true) => ({ user, comment, keepForRollback })
const named = (hostname: string) => ({ hostname, timezone: 'Etc/GMT' })

test('a fresh home gets revision 1 with the seed, kept for rollback', async () => {
  const { store, fresh } = await open({ seed: (set) => set(system, named('esa1.hcxxyy-zz.iphmx.com')) })
  expect(fresh).toBe(true)
  expect(store.running.get(system).hostname).toBe('esa1.hcxxyy-zz.iphmx.com')
  expect(store.history(10, true)).toMatchObject([{ revision: 1, user: 'system', comment: 'Initial configuration' }])
})

test('a seed that is not valid is refused and nothing is written', async () => {
  await expect(open({ seed: (set) => set(system, named('not a name')) })).rejects.toThrow('system.hostname')
})

test('nothing acts before the commit, and a committed change is there after a restart', async () => {
  const config = await open()
  const draft = config.store.draft()
  draft.set(system, named('mail3.example.com'))
  expect(config.store.running.get(system).hostname).toBe('lychgate.example.com')
  expect(await config.store.commit(draft, by('admin', 'renamed'))).toMatchObject({
    revision: 2,
    user: 'admin',
    kept: true,
  })
  expect(config.events).toEqual([
    { type: 'system.committed', pid: 274, user: 'admin', comment: 'renamed', revision: 2 },
  ])
  expect(draft.dirty).toBe(false)
  await config.close()
  const again = await openTestConfig({ path: config.path })
  expect(again.fresh).toBe(false)
  expect(again.store.revision).toBe(2)
  expect(again.store.running.get(system).hostname).toBe('mail3.example.com')
  await again.close()
})

test('a commit without changes is refused in the words of the shell', async () => {
  const { store } = await open()
  const draft = store.draft()
  await expect(store.commit(draft, by('admin'))).rejects.toThrow('There is no data to commit.')
  draft.set(system, named('x.example'))
  draft.set(system, store.running.get(system))
  expect(draft.dirty).toBe(false)
})

test('a value that does not fit its section is refused and the draft stays as it was', async () => {
  const { store } = await open()
  const draft = store.draft()
  draft.set(sdr, { ...draft.get(sdr), timeoutSeconds: 5 })
  expect(() => draft.set(sdr, { ...draft.get(sdr), timeoutSeconds: 11 })).toThrow(/timeoutSeconds.*10/)
  expect(draft.get(sdr).timeoutSeconds).toBe(5)
})

test('two sessions that change different sections merge', async () => {
  const { store } = await open()
  const [one, two] = [store.draft(), store.draft()]
  one.set(system, named('one.example'))
  two.set(smtpRoutes, [{ domain: 'example.com', hosts: ['10.1.1.1'] }])
  await store.commit(one, by('alice'))
  await store.commit(two, by('bob'))
  expect(store.running.get(system).hostname).toBe('one.example')
  expect(store.running.get(smtpRoutes)).toHaveLength(1)
})

test('a section that somebody else committed meanwhile refuses the commit in one line, and the draft stays', async () => {
  const { store } = await open()
  const [one, two] = [store.draft(), store.draft()]
  // Bob's dialogue has read the section and waits for an answer while Alice commits.
  two.get(system)
  one.set(system, named('alice.example'))
  await store.commit(one, by('alice'))
  two.set(system, named('bob.example'))
  const refusal = await store.commit(two, by('bob')).then(String, (e: Error) => e.message)
  expect(refusal).toContain('alice committed system at Tue Mar 29 23:43:48 2022 GMT (revision 2)')
  expect(refusal).not.toContain('\n')
  expect(store.running.get(system).hostname).toBe('alice.example')
  expect(two.changes()).toMatchObject([{ path: 'system.hostname', after: 'bob.example' }])
  expect(store.conflicts(two)).toMatchObject([
    { section: 'system', user: 'alice', revision: 2, theirs: [{ path: 'system.hostname', after: 'alice.example' }] },
  ])
  two.clear('system')
  two.set(system, named('bob.example'))
  await store.commit(two, by('bob'))
  expect(store.running.get(system).hostname).toBe('bob.example')
})

test('the same change made by two sessions is no conflict and no second revision', async () => {
  const { store } = await open()
  const [one, two] = [store.draft(), store.draft()]
  for (const draft of [one, two]) draft.set(system, named('same.example'))
  await store.commit(one, by('alice'))
  await expect(store.commit(two, by('bob'))).rejects.toThrow('There is no data to commit.')
  expect(store.revision).toBe(2)
})

test('a section that was only read follows the running configuration after refresh', async () => {
  const { store } = await open()
  const [one, two] = [store.draft(), store.draft()]
  two.get(system)
  one.set(system, named('new.example'))
  await store.commit(one, by('alice'))
  expect(two.get(system).hostname).toBe('lychgate.example.com')
  two.refresh?.()
  expect(two.get(system).hostname).toBe('new.example')
})

test('verify refuses the commit before anybody is asked or told', async () => {
  const { store, revisions } = await open()
  const told: string[] = []
  store.consume({ section: sdr, apply: async () => void told.push('sdr') })
  const draft = store.draft()
  draft.set(sdr, { ...draft.get(sdr), exceptionList: 'missing' })
  await expect(store.commit(draft, by('admin'))).rejects.toThrow("Address list 'missing' does not exist.")
  expect(told).toEqual([])
  expect(revisions.list(10, false)).toHaveLength(1)
  expect(draft.dirty).toBe(true)
})

test('a time zone that the machine does not have is refused', async () => {
  const { store } = await open()
  const draft = store.draft()
  draft.set(system, { ...draft.get(system), timezone: 'Mars/Olympus' })
  await expect(store.commit(draft, by('admin'))).rejects.toThrow("The time zone 'Mars/Olympus' does not exist")
})

test('everybody is prepared before anybody acts, and only the sections that changed', async () => {
  const { store } = await open()
  const told: string[] = []
  const consumer = <T>(section: Parameters<typeof store.consume<T>>[0]['section']) =>
    store.consume({
      section,
      prepare: async () => {
        told.push(`prepare ${section.name}`)
        return [{ path: '', message: `careful with ${section.name}`, severity: 'warning' as const }]
      },
      apply: async () => void told.push(`apply ${section.name}`),
    })
  consumer(sdr)
  consumer(listeners)
  consumer(system)
  const draft = store.draft()
  draft.set(listeners, [{ ...defaultListener, port: 2626 }])
  draft.set(system, named('a.example'))
  const record = await store.commit(draft, by('admin'))
  expect(told).toEqual(['prepare system', 'prepare listeners', 'apply system', 'apply listeners'])
  expect(record.warnings).toEqual(['careful with system', 'careful with listeners'])
})

test('a consumer that refuses in prepare leaves everything as it was', async () => {
  const { store, revisions } = await open()
  store.consume({
    section: listeners,
    prepare: async () => [{ path: 'listeners', message: 'Port 2626 is in use.', severity: 'error' }],
    apply: async () => expect.unreachable(),
  })
  const draft = store.draft()
  draft.set(listeners, [{ ...defaultListener, port: 2626 }])
  await expect(store.commit(draft, by('admin'))).rejects.toThrow('Port 2626 is in use.')
  expect(revisions.list(10, false)).toHaveLength(1)
})

test('a failed apply is undone in reverse, and running and stored configuration agree again', async () => {
  const config = await open()
  const { store, events } = config
  const told: string[] = []
  store.consume({ section: system, apply: async (next) => void told.push(`system ${next.hostname}`) })
  store.consume({
    section: listeners,
    apply: async (next) => {
      told.push(`listeners ${next[0]?.port}`)
      if (next[0]?.port === 2626) throw new Error('address in use')
    },
  })
  const draft = store.draft()
  draft.set(system, named('a.example'))
  draft.set(listeners, [{ ...defaultListener, port: 2626 }])
  await expect(store.commit(draft, by('admin'))).rejects.toThrow(
    'Not committed: listeners could not be applied: address in use. The configuration before it is running and stored again. Your changes are kept.',
  )
  expect(told).toEqual(['system a.example', 'listeners 2626', 'listeners 2525', 'system lychgate.example.com'])
  expect(store.running.get(system).hostname).toBe('lychgate.example.com')
  expect(store.revision).toBe(3)
  expect(events).toMatchObject([{ type: 'system.rolled-back', user: 'admin' }])
  expect(draft.changes()).toHaveLength(2)
  await config.close()
  const again = await openTestConfig({ path: config.path })
  expect(again.store.running.get(system).hostname).toBe('lychgate.example.com')
  await again.close()
})

test('an undo that cannot be stored says so, and names the revision that a restart would use', async () => {
  let appends = 0
  const { store } = await open({
    wrap: (real) => ({
      ...real,
      append: async (...args) => {
        if (++appends === 3) throw new Error('disk full')
        await real.append(...args)
      },
    }),
  })
  store.consume({
    section: system,
    apply: async (next) => {
      if (next.hostname === 'bad.example') throw new Error('no')
    },
  })
  const draft = store.draft()
  draft.set(system, named('bad.example'))
  await expect(store.commit(draft, by('admin'))).rejects.toThrow(/could not be stored \(disk full\).*revision 2/)
  expect(store.running.get(system).hostname).toBe('lychgate.example.com')
})

test('a revision that cannot be stored changes nothing', async () => {
  let appends = 0
  const told: string[] = []
  const { store } = await open({
    wrap: (real) => ({
      ...real,
      append: async (...args) => {
        if (++appends > 1) throw new Error('disk full')
        await real.append(...args)
      },
    }),
  })
  store.consume({ section: system, apply: async () => void told.push('applied') })
  const draft = store.draft()
  draft.set(system, named('a.example'))
  await expect(store.commit(draft, by('admin'))).rejects.toThrow('disk full')
  expect([told, store.revision, draft.dirty]).toEqual([[], 1, true])
})

test('commits go one after another; one that waits too long names who holds the first', async () => {
  const { store, clock } = await open()
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  store.consume({ section: system, apply: async () => await held })
  const [one, two, three] = [store.draft(), store.draft(), store.draft()]
  one.set(system, named('one.example'))
  two.set(smtpRoutes, [{ domain: 'a.example', hosts: ['10.1.1.1'] }])
  three.set(sdr, { ...three.get(sdr), timeoutSeconds: 3 })
  const first = store.commit(one, by('alice'))
  await settle()
  const second = store.commit(two, by('bob')).catch((e: Error) => e.message)
  await clock.advance(30_000)
  expect(await second).toBe('A commit of alice is still under way: nothing was changed. Please try again.')
  const third = store.commit(three, by('carol'))
  release()
  expect((await first).revision).toBe(2)
  expect((await third).revision).toBe(3)
  expect(two.dirty).toBe(true)
})

test('a consumer that never answers counts as failed', async () => {
  const { store, clock } = await open()
  let calls = 0
  store.consume({
    section: system,
    apply: async () => {
      if (++calls === 1) await new Promise(() => undefined)
    },
  })
  const draft = store.draft()
  draft.set(system, named('slow.example'))
  const outcome = store.commit(draft, by('admin')).catch((e: Error) => e.message)
  await settle()
  await clock.advance(60_000)
  expect(await outcome).toContain('did not answer within 60 seconds')
  expect(store.running.get(system).hostname).toBe('lychgate.example.com')
})

test('an earlier revision is staged whole and committed like any change', async () => {
  const { store } = await open()
  const draft = store.draft()
  draft.set(system, named('a.example'))
  draft.set(sdr, { ...draft.get(sdr), timeoutSeconds: 7 })
  await store.commit(draft, by('admin'))
  const applied: string[] = []
  store.consume({ section: system, apply: async (next) => void applied.push(next.hostname) })
  store.stageRevision(draft, 1)
  expect(draft.changes().map((c) => c.path)).toEqual(['system.hostname', 'sender_domain_reputation.timeout_seconds'])
  await store.commit(draft, by('admin', 'back'))
  expect(applied).toEqual(['lychgate.example.com'])
  expect(() => store.stageRevision(draft, 99)).toThrow('There is no configuration revision 99.')
})

test('a damaged newest revision is passed over with a warning, and the next commit stands above it', async () => {
  const config = await open()
  const draft = config.store.draft()
  draft.set(system, named('good.example'))
  await config.store.commit(draft, by('admin'))
  const damage = { number: 3, at: new Date(0), user: 'x', comment: '', kept: false, sections: ['system'] }
  await config.revisions.append(
    { ...damage, document: '{"sections":{"system":{"version":1,"value":{"hostname":5}}}}' },
    { action: 'commit', detail: '' },
  )
  await config.close()
  const again = await openTestConfig({ path: config.path })
  expect(again.store.running.get(system).hostname).toBe('good.example')
  expect(again.warnings.join('\n')).toMatch(
    /revision 3 cannot be used: system.hostname.*\n.*revision 2 is running instead/,
  )
  const next = again.store.draft()
  next.set(system, named('next.example'))
  expect((await again.store.commit(next, by('admin'))).revision).toBe(4)
  await again.close()
})

test('secrets are never stored in the clear, and another key only empties them, with a warning', async () => {
  const config = await open()
  const draft = config.store.draft()
  draft.set(intelligence, { ...draft.get(intelligence), deviceSecret: 'correct horse' })
  await config.store.commit(draft, by('admin'))
  expect(config.revisions.read(2)?.document).not.toContain('correct horse')
  await config.close()
  const same = await openTestConfig({ path: config.path })
  expect(same.store.running.get(intelligence).deviceSecret).toBe('correct horse')
  await same.close()
  const other = await openTestConfig({ path: config.path, secrets: testSecrets(2) })
  expect(other.store.running.get(intelligence).deviceSecret).toBeNull()
  expect(other.warnings).toHaveLength(1)
  expect(other.warnings[0]).toMatch(/intelligence.deviceSecret is unset: It was encrypted with the key/)
  await other.close()
})

test('running values cannot be changed behind the back of the store', async () => {
  const { store } = await open()
  expect(() => store.running.get(listeners).push(defaultListener)).toThrow(TypeError)
})

const STEPS = [
  'prepare',
  'before the revision',
  'after the revision',
  'first apply',
  'second apply',
  'undo',
  'undo stored',
]

test.each(STEPS)(
  'a process that ends at the step "%s" leaves the old or the new document, never a mixture',
  async (step) => {
    const reached: string[] = []
    const at = async (name: string): Promise<void> => {
      reached.push(name)
      if (name === step) await new Promise(() => undefined)
    }
    let appends = 0
    const config = await open({
      wrap: (real) => ({
        ...real,
        append: async (...args) => {
          appends++
          if (appends === 2) await at('before the revision')
          await real.append(...args)
          if (appends === 2) await at('after the revision')
          if (appends === 3) await at('undo stored')
        },
      }),
    })
    const { store } = config
    store.consume({
      section: system,
      prepare: async () => {
        await at('prepare')
        return []
      },
      apply: async (next) => await at(next.hostname === 'new.example' ? 'first apply' : 'undo'),
    })
    store.consume({
      section: sdr,
      apply: async (next) => {
        await at('second apply')
        if (next.timeoutSeconds === 9 && (step === 'undo' || step === 'undo stored')) throw new Error('refused late')
      },
    })
    const draft = store.draft()
    draft.set(system, named('new.example'))
    draft.set(sdr, { ...draft.get(sdr), timeoutSeconds: 9 })
    void store.commit(draft, by('admin'))
    while (!reached.includes(step)) await settle()
    // As after kill -9: nobody closes anything, another process opens what is on the disk.
    const after = await openTestConfig({ path: config.path })
    const found = [after.store.running.get(system).hostname, after.store.running.get(sdr).timeoutSeconds]
    const isNew = ['after the revision', 'first apply', 'second apply', 'undo'].includes(step)
    expect(found).toEqual(isNew ? ['new.example', 9] : ['lychgate.example.com', 2])
    await after.close()
  },
)
