import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApplianceEvent } from '../../src/events/event.ts'
import { REGISTRY } from '../../src/shell/registry.ts'
import { HOSTILE, harmful } from '../support/hostile-text.ts'
import { root } from '../support/root.ts'
import { parseSessionFile } from '../support/session-file.ts'
import { sessionAppliance } from '../support/session-appliance.ts'
import type { SessionAppliance } from '../support/session-appliance.ts'
import { scriptTerminal } from '../support/session-terminal.ts'
import { newEntry } from '../support/spool.ts'

const ADDRESS = `"${HOSTILE}"@example.com`
const NAMES = REGISTRY.map((entry) => entry.name)

/** Command lines of the recorded sessions: the usual arguments of each command. */
const recorded = (name: string): readonly string[] => {
  const folder = join(root, 'fixtures/sessions', name)
  return readdirSync(folder).flatMap((file) =>
    parseSessionFile(readFileSync(join(folder, file), 'utf8')).lines.flatMap((line) => {
      const typed = /^[\w.-]+> (.+)$/.exec(line)?.[1]
      return typed?.startsWith(name) === true ? [typed] : []
    }),
  )
}

/** What shows messages wherever they lie, besides. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  showmessage: ['showmessage 1', 'showmessage 2'],
  showrecipients: ['showrecipients -s all', 'showrecipients all'],
  findevent: [
    'findevent -s .',
    'findevent -f .',
    'findevent -t .',
    'findevent -I .',
    'findevent -m 1',
    'findevent -m 2',
  ],
  grep: ['mail_logs', 'ecs', 'cli_logs', 'authentication', 'system_logs', 'remediation', 'url_rep_client'].flatMap(
    (log) => [`grep . ${log}`, `grep -C 3 -i EVIL ${log}`, `grep "${HOSTILE.replace(/[\r\n"\\]/g, '')}" ${log}`],
  ),
  tail: ['tail mail_logs', 'tail cli_logs', 'tail system_logs', 'tail authentication'],
  quarantine: ['quarantine list', 'quarantine show 2', 'quarantine view 2'],
  hoststatus: [`hoststatus ${HOSTILE.replace(/[\r\n]/g, '')}`],
  commit: [`commit "${HOSTILE.replace(/[\r\n"]/g, '')}" Y`],
  last: ['last'],
  who: ['who'],
}
/** They end the session or its appliance. */
const ENDING = ['quit', 'resetconfig']

describe('hostile text in messages, names and comments', () => {
  let gateway: SessionAppliance
  const shown: string[] = []

  beforeAll(async () => {
    gateway = await sessionAppliance()
    const { appliance } = gateway
    const { spool, events, alerts, ids } = appliance
    const body = Buffer.from(
      `From: ${ADDRESS}\r\nSubject: ${HOSTILE}\r\nX-Mailer: ${HOSTILE}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
        `--b\r\nContent-Type: text/plain\r\n\r\n${HOSTILE} http://evil.example/${HOSTILE}\r\n` +
        `--b\r\nContent-Disposition: attachment; filename="${HOSTILE}"\r\n\r\nx\r\n--b--\r\n`,
    )
    const hostile = {
      body,
      size: body.length,
      subject: HOSTILE,
      sender: ADDRESS,
      helo: HOSTILE,
      reverseHost: HOSTILE,
      messageId: `<${HOSTILE}@x>`,
      recipients: [
        { rid: 0, address: ADDRESS },
        { rid: 1, address: `user@${HOSTILE}` },
      ],
      trace: `Received: from ${HOSTILE.replace(/[\r\n]/g, '')} by x; now\r\n`,
    }
    const now = appliance.env.clock.now()
    await spool.accept(newEntry(ids.next('mid'), { ...hostile, state: { kind: 'queued' } }))
    const until = new Date(now.getTime() + 86_400_000)
    await spool.accept(
      newEntry(ids.next('mid'), {
        ...hostile,
        state: { kind: 'quarantined', quarantine: 'Policy', reason: HOSTILE, since: now, until, resumeAt: 'delivery' },
      }),
    )
    const all: readonly ApplianceEvent[] = [
      {
        type: 'connection.opened',
        icid: 1,
        listener: HOSTILE,
        interfaceName: HOSTILE,
        interfaceAddress: '127.0.0.1',
        remoteAddress: '192.0.2.1',
        reverseHost: HOSTILE,
        reverseVerified: false,
      },
      { type: 'connection.unknown-command', icid: 1, command: HOSTILE },
      ...[1, 2].flatMap((mid): ApplianceEvent[] => [
        { type: 'message.started', mid, icid: 1 },
        { type: 'message.sender', mid, icid: 1, sender: ADDRESS },
        { type: 'message.recipient', mid, icid: 1, rid: 0, recipient: ADDRESS },
        { type: 'message.id', mid, messageId: `<${HOSTILE}@x>` },
        { type: 'message.subject', mid, subject: HOSTILE },
        { type: 'message.ready', mid, bytes: body.length, sender: ADDRESS },
        { type: 'policy.matched', mid, policy: HOSTILE, table: 'inbound' },
        { type: 'filter.log-entry', mid, text: HOSTILE },
        { type: 'message.unscannable', mid, reason: HOSTILE },
        {
          type: 'url.matched',
          mid,
          url: `http://evil.example/${HOSTILE}`,
          score: null,
          what: 'Condition',
          detail: HOSTILE,
        },
      ]),
      { type: 'access.refused', user: HOSTILE, from: '192.0.2.1', method: 'passphrase' },
      { type: 'cli.entered', pid: 1, user: 'admin', entered: HOSTILE, prompt: '> ' },
      { type: 'system.committed', pid: 1, user: 'admin', comment: HOSTILE, revision: 1 },
      { type: 'system.warning', text: HOSTILE },
    ]
    for (const event of all) events.publish(event)
    alerts.raise({ class: 'System', severity: 'Warning', text: HOSTILE })
    appliance.logins.refused(HOSTILE, HOSTILE)
    appliance.logins.open({ user: HOSTILE, from: HOSTILE, what: HOSTILE, idleMs: () => 0 })
    await appliance.tracking.flush()
  }, 60_000)
  afterAll(async () => await gateway.close())

  /** Runs one line; to every question the answer is hostile at first, then nothing. */
  const runs = async (line: string): Promise<string> => {
    const terminal = scriptTerminal({ batch: { position: null }, answers: answersTo(line) })
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), 500)
    const interruptible = { untilInterrupt: () => ({ signal: stop.signal, done: () => undefined }) }
    await Promise.race([
      gateway.run(Object.assign(Object.create(terminal) as typeof terminal, interruptible)),
      new Promise((resolve) => setTimeout(resolve, 2000).unref()),
    ])
    clearTimeout(timer)
    // What was typed stands in the transcript as it was typed: the operator's own.
    return terminal.transcript().replaceAll(line, '').replaceAll(TYPED, '')
  }
  const TYPED = HOSTILE.replace(/[\r\n]/g, '')
  const answersTo = (line: string): (() => string | null) => {
    const lines = [line, '1', TYPED]
    return () => lines.shift() ?? null
  }

  it.each(NAMES.filter((name) => !ENDING.includes(name)))(
    '%s shows it with nothing that a terminal obeys',
    async (name) => {
      for (const line of [name, ...recorded(name), ...(MORE[name] ?? [])]) {
        const text = await runs(line)
        shown.push(text)
        // A message is shown as it is: its lines are its own.
        expect(harmful(text, name !== 'showmessage'), line).toEqual([])
      }
    },
    60_000,
  )

  it('was shown, and lies in the logs with nothing that a terminal obeys', async () => {
    const { logs, home } = gateway.appliance
    await logs.flush()
    const folder = join(home, 'logs')
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
    const text = files.map((f) => readFileSync(join(f.parentPath, f.name), 'utf8')).join('\n')
    expect(harmful(text)).toEqual([])
    // A test that shows nothing proves nothing.
    expect(text.match(/evil\\x1b\[2J/g)?.length).toBeGreaterThan(20)
    expect(shown.filter((one) => one.includes('evil\\x1b')).length).toBeGreaterThan(8)
  })
})
