import { afterEach, describe, expect, it } from 'vitest'
import { mailPolicies } from '../../../../src/config/sections/mail-policies.ts'
import { redirect } from '../../../../src/config/sections/redirect.ts'
import { urlRetrospection } from '../../../../src/config/sections/url-retrospection.ts'
import { readRedirect } from '../../../../src/intel/url/redirect.ts'
import { openPipeline } from '../../../support/pipeline.ts'
import type { PipelineOptions } from '../../../support/pipeline.ts'

let open: Awaited<ReturnType<typeof openPipeline>> | undefined
const start = async (options?: PipelineOptions) => (open = await openPipeline(options))
afterEach(async () => {
  await open?.dispose()
  open = undefined
})

const mail = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'))
const hello = mail('From: Alice <alice@sender.example>', 'Subject: hello', '', 'see http://bad.example/x now', '')

describe('the mail path', () => {
  it('tells the story of a clean message in the order of the reference and queues the same bytes', async () => {
    const p = await start()
    const mid = await p.run({ body: hello })
    expect(p.types()).toEqual([
      'auth.spf',
      'auth.spf-cache',
      'auth.spf',
      'auth.dmarc',
      'message.id',
      'message.subject',
      'message.ready',
      'policy.matched',
      'message.queued',
    ])
    expect(p.spool.state(mid)?.kind).toBe('queued')
    expect(await p.spool.body(mid)).toEqual(hello)
    expect(p.spool.entry(mid)?.trace).toMatch(/^Authentication-Results: mx\.example\.com;\r\n\tspf=none/)
  })

  it('drops by a message filter and says so last', async () => {
    const p = await start({
      filters: [{ name: 'no', script: 'if subject == "hel+o" { drop(); log-entry("never"); }' }],
    })
    const mid = await p.run({ body: hello })
    expect(p.types().slice(-2)).toEqual(['message.dropped', 'message.finished'])
    expect(p.spool.entry(mid)).toBeUndefined()
    expect(p.of('filter.log-entry')).toEqual([])
  })

  it('defangs a bad URL: the content is a new MID, the old one is finished, the rest is byte for byte', async () => {
    const p = await start({
      scores: { 'http://bad.example/x': -9 },
      filters: [{ name: 'defang', script: 'if true { url-reputation-defang(-10.0, -6.0, "", 1); }' }],
    })
    const mid = await p.run({ body: hello })
    const [rewritten] = p.of('message.rewritten')
    expect(rewritten).toMatchObject({ mid, action: 'url-reputation-defang', filter: 'defang' })
    expect(p.types().slice(-4)).toEqual(['message.rewritten', 'message.started', 'message.finished', 'message.queued'])
    const into = rewritten?.into ?? 0
    expect(p.spool.entry(mid)).toBeUndefined()
    expect(p.spool.entry(into)?.rootMid).toBe(mid)
    expect((await p.spool.body(into)).toString()).toBe(
      hello.toString().replace('http://bad.example/x', 'BLOCKEDbad[.]example/xBLOCKED'),
    )
  })

  it.each([
    ['url-reputation-proxy-redirect(-10.0, -6.0, "", 1)', -9, ''],
    ['url-no-reputation-proxy-redirect("", 1)', null, ''],
    ['url-category-proxy-redirect(["Phishing"], "", 1)', 0, 'Phishing'],
  ])('%s leads the link to the redirect service, which knows message and URL', async (action, score, category) => {
    const key = Buffer.alloc(32, 7)
    const settings = { enabled: true, baseUrl: 'https://links.example.com', key: key.toString('base64') }
    const p = await start({
      scores: score === null ? {} : { 'http://bad.example/x': score },
      categories: category === '' ? {} : { 'http://bad.example/x': category },
      filters: [{ name: 'redirect', script: `if true { ${action}; }` }],
      sections: new Map([[redirect, { ...redirect.defaults, ...settings }]]),
    })
    const mid = await p.run({ body: hello })
    const body = (await p.spool.body(p.of('message.rewritten')[0]?.into ?? 0)).toString()
    const path = /https:\/\/links\.example\.com(\/u\/\S+) now/.exec(body)?.[1] ?? ''
    expect(readRedirect(key, path, p.env.clock.now())).toMatchObject({ url: 'http://bad.example/x', mid })
    expect(p.of('url.matched')).toMatchObject([{ what: 'Action', detail: 'URL redirected to the redirect service' }])
  })

  it('defangs what a filter would redirect while the redirect service is off', async () => {
    const p = await start({
      scores: { 'http://bad.example/x': -9 },
      filters: [{ name: 'r', script: 'if true { url-reputation-proxy-redirect(-10.0, -6.0, "", 1); }' }],
    })
    await p.run({ body: hello })
    const body = (await p.spool.body(p.of('message.rewritten')[0]?.into ?? 0)).toString()
    expect(body).toContain('BLOCKEDbad[.]example/xBLOCKED')
  })

  it('holds a message in quarantine with what else the filters did; release goes on to delivery', async () => {
    const p = await start({
      sdr: {
        kind: 'verdict',
        verdict: {
          level: 'awful',
          category: 'Spam',
          suspected: [],
          ageDays: 3,
          ageDomain: 'sender.example',
          because: [],
        },
      },
      filters: [
        {
          name: 'sdr',
          script:
            `if sdr-reputation(['untrusted'], "") and sdr-age("days", <, 10, "") { quarantine("Policy"); ` +
            `edit-header-text("Subject", "^", "[$FilterName] "); log-entry("SDR $MID"); }`,
        },
        { name: 'later', script: 'if header("Subject") == "^.sdr. hello" { insert-header("X-Seen", "yes"); }' },
      ],
    })
    const mid = await p.run({ body: hello })
    expect(p.of('filter.log-entry')).toEqual([{ type: 'filter.log-entry', mid, text: `SDR ${mid}` }])
    expect(p.of('message.quarantined')).toEqual([
      { type: 'message.quarantined', mid, quarantine: 'Policy', by: { kind: 'message filter', name: 'sdr' } },
    ])
    expect(p.quarantine.list('Policy').map((m) => [m.entry.mid, m.reason])).toEqual([[mid, 'message filter:sdr']])
    expect((await p.quarantine.body(mid)).toString()).toBe(
      'From: Alice <alice@sender.example>\r\nSubject: [sdr] hello\r\nX-Seen: yes\r\n\r\nsee http://bad.example/x now\r\n',
    )
    await p.quarantine.release(mid, 'manual')
    await p.pipeline.process(mid, new AbortController().signal)
    expect(p.types().slice(-2)).toEqual(['quarantine.released', 'message.queued'])
    await expect(p.quarantine.release(mid, 'manual')).rejects.toThrow(`MID ${mid} is not in quarantine.`)
  })

  it('takes one decision on a message in quarantine: who comes second is told, and nothing released is deleted', async () => {
    const p = await start({ filters: [{ name: 'hold', script: 'if true { quarantine("Policy"); }' }] })
    const mid = await p.run({ body: hello })
    const ends = await Promise.allSettled([
      p.quarantine.release(mid, 'manual'),
      p.quarantine.delete(mid, 'expired'),
      p.quarantine.release(mid, 'manual'),
    ])
    expect(ends.map((e) => e.status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(p.spool.state(mid)?.kind).toBe('work')
    expect(p.types().filter((t) => t.startsWith('quarantine.'))).toEqual(['quarantine.released'])
  })

  it('expands no name that the language has not, and nothing that a value brings along', async () => {
    const p = await start({
      scores: { 'http://bad.example/x': -9 },
      filters: [
        { name: 'note', script: 'if true { log-entry("$constructor $Subject"); }' },
        { name: 'r', script: 'if true { url-reputation-replace(-10.0, -6.0, "[$Subject: $URL]", "", 0); }' },
      ],
    })
    await p.run({ body: mail('Subject: $URL and $MID', '', 'see http://bad.example/x now', '') })
    expect(p.of('filter.log-entry')[0]?.text).toBe('$constructor $URL and $MID')
    const body = (await p.spool.body(p.of('message.rewritten')[0]?.into ?? 0)).toString()
    expect(body).toContain('see [$URL and $MID: http://bad.example/x] now')
  })

  it.each([
    ['strip-header("Message-ID")', null],
    ['edit-header-text("Message-ID", "old", "new")', '<new@sender.example>'],
    ['insert-header("X-A", "b")', '<old@sender.example>'],
  ])('knows a message by the Message-ID that %s leaves: remediation looks for that one', async (action, messageId) => {
    const p = await start({ filters: [{ name: 'id', script: `if true { ${action}; }` }] })
    const body = mail('Message-ID: <old@sender.example>', 'Subject: x', '', 'text', '')
    const mid = await p.run({ body, messageId: '<old@sender.example>' })
    expect(p.spool.entry(mid)?.messageId).toBe(messageId)
  })

  it('copies into quarantine under an MID of its own while the original goes on', async () => {
    const p = await start({ filters: [{ name: 'copy', script: 'if true { duplicate-quarantine("Policy"); }' }] })
    const mid = await p.run({
      body: hello,
      recipients: [{ rid: 0, address: 'bob@example.com', notify: ['SUCCESS', 'FAILURE'] }],
    })
    const copy = p.quarantine.list()[0]?.entry.mid ?? 0
    // The sender is told of his message, not of our copy.
    expect(p.quarantine.list()[0]?.entry.recipients).toEqual([{ rid: 0, address: 'bob@example.com', notify: [] }])
    expect(p.spool.entry(mid)?.recipients[0]?.notify).toEqual(['SUCCESS', 'FAILURE'])
    expect(copy).not.toBe(mid)
    expect(p.of('message.generated')).toEqual([
      { type: 'message.generated', mid: copy, from: mid, how: 'duplicate-quarantine', filter: 'copy' },
    ])
    expect(p.spool.state(mid)?.kind).toBe('queued')
    await p.quarantine.delete(copy, 'manual')
    expect(p.types().slice(-2)).toEqual(['quarantine.deleted', 'message.finished'])
  })

  it('splits by policy and runs the content filters of each', async () => {
    const table = {
      policies: [{ name: 'sales', senders: [], recipients: ['sam@'], contentFilters: ['tag'] }],
      defaultContentFilters: ['gone'],
      contentFilters: [
        { name: 'gone', description: '', logic: 'or' as const, conditions: [], actions: ['drop()'] },
        {
          name: 'tag',
          description: '',
          logic: 'and' as const,
          conditions: ['rcpt-count == 1', 'true'],
          actions: ['insert-header("X-Sales", "1")'],
        },
      ],
    }
    const empty = { policies: [], defaultContentFilters: [], contentFilters: [] }
    const p = await start({ sections: new Map([[mailPolicies, { incoming: table, outgoing: empty }]]) })
    const recipients = [
      { rid: 0, address: 'bob@example.com' },
      { rid: 1, address: 'sam@example.com' },
    ]
    const mid = await p.run({ body: hello, recipients })
    const [split] = p.of('policy.split')
    expect(split).toMatchObject({ mid, policy: 'DEFAULT', table: 'inbound' })
    expect(p.of('message.dropped').map((e) => [e.mid, e.by])).toEqual([
      [split?.into, { kind: 'content filter', name: 'gone', table: 'inbound' }],
    ])
    expect(p.spool.queued(mid).map((r) => r.address)).toEqual(['sam@example.com'])
    expect((await p.spool.body(mid)).toString()).toContain('X-Sales: 1')
    expect(p.of('message.recipient').map((e) => [e.mid, e.icid, e.recipient])).toEqual([
      [split?.into, 0, 'bob@example.com'],
    ])
  })

  it('copies a message into quarantine for all its recipients, also when policies split it afterwards', async () => {
    const policies = [{ name: 'sales', senders: [], recipients: ['sam@'], contentFilters: [] }]
    const table = { policies, defaultContentFilters: [], contentFilters: [] }
    const empty = { policies: [], defaultContentFilters: [], contentFilters: [] }
    const p = await start({
      sections: new Map([[mailPolicies, { incoming: table, outgoing: empty }]]),
      filters: [{ name: 'copy', script: 'if true { duplicate-quarantine("Policy"); }' }],
    })
    const addresses = ['bob@example.com', 'sam@example.com', 'eve@example.com']
    await p.run({ body: hello, recipients: addresses.map((address, rid) => ({ rid, address })) })
    expect(p.of('policy.split')).toHaveLength(1)
    expect(p.quarantine.list().map((m) => m.entry.recipients.map((r) => `${r.rid} ${r.address}`))).toEqual([
      ['0 bob@example.com', '1 sam@example.com', '2 eve@example.com'],
    ])
  })

  it('hands URLs without a score to the watch only when the retrospective service is on', async () => {
    const body = mail('Subject: x', '', 'http://new.example/1 http://known.example/2', '')
    const scores = { 'http://known.example/2': 3 }
    const off = await start({ scores })
    await off.run({ body })
    expect(off.watched).toEqual([])
    await off.dispose()
    const on = await start({
      scores,
      sections: new Map([[urlRetrospection, { ...urlRetrospection.defaults, enabled: true }]]),
    })
    await on.run({ body })
    expect(on.watched).toEqual(['http://new.example/1'])
    await on.run({ body, direction: 'outgoing' })
    expect(on.watched).toEqual(['http://new.example/1'])
  })

  it('lets an unscannable message go on, and tells why', async () => {
    const p = await start({ filters: [{ name: 'bad', script: 'if not valid { log-entry("not valid"); }' }] })
    const nested = Array.from({ length: 80 }, (_, i) => [
      `Content-Type: multipart/mixed; boundary=b${i}`,
      '',
      `--b${i}`,
    ])
    const mid = await p.run({ body: mail('Subject: deep', ...nested.flat(), 'Content-Type: text/plain', '', 'x', '') })
    expect(p.of('message.unscannable')[0]?.reason).toBe('parts are nested too deep')
    expect(p.of('filter.log-entry')).toHaveLength(1)
    expect(p.spool.state(mid)?.kind).toBe('queued')
  })

  it('decides nothing before its one commit: an interrupted run leaves the entry as it was', async () => {
    const p = await start()
    const mid = p.counters.next('mid')
    const stop = new AbortController()
    const { newEntry } = await import('../../../support/spool.ts')
    await p.spool.accept(newEntry(mid))
    p.bus.subscribe((_, e) => {
      if (e.type === 'message.ready') stop.abort(new Error('stopping'))
    })
    await expect(p.pipeline.process(mid, stop.signal)).rejects.toThrow('stopping')
    expect(p.spool.state(mid)).toEqual({ kind: 'work', resumeAt: null })
    await p.pipeline.process(mid, new AbortController().signal)
    expect(p.spool.state(mid)?.kind).toBe('queued')
  })

  it('does not deliver unchanged what a filter wanted changed and could not change', async () => {
    const { inlineScanner } = await import('../../../support/pipeline.ts')
    const p = await start({
      scanner: { ...inlineScanner, edit: async () => Promise.reject(new Error('worker died')) },
      filters: [{ name: 'stamp', script: 'if true { add-footer-text("note"); }' }],
    })
    const mid = await p.run({ body: hello })
    expect(p.spool.state(mid)).toMatchObject({ kind: 'quarantined', quarantine: 'Policy' })
    expect(p.of('message.unscannable')[0]?.reason).toBe('worker died')
  })

  it('holds a copy as it came when it cannot be edited, rather than trying the message again without end', async () => {
    const { inlineScanner } = await import('../../../support/pipeline.ts')
    const p = await start({
      scanner: { ...inlineScanner, edit: async () => Promise.reject(new Error('worker died')) },
      filters: [
        { name: 'copy', script: 'if true { insert-header("X-A", "b"); duplicate-quarantine("Policy"); drop(); }' },
      ],
    })
    const mid = await p.run({ body: hello })
    expect(p.spool.entry(mid)).toBeUndefined()
    const [copy] = p.quarantine.list()
    expect(await p.quarantine.body(copy?.entry.mid ?? 0)).toEqual(hello)
    expect(p.of('message.unscannable')).toEqual([
      { type: 'message.unscannable', mid: copy?.entry.mid, reason: 'worker died' },
    ])
  })
})
