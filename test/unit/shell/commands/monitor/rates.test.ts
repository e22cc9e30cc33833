import { describe, expect, it } from 'vitest'
import { localTime } from '../../../../../src/core/localtime.ts'
import type { CounterName } from '../../../../../src/events/counters.ts'
import type { Appliance } from '../../../../../src/services/appliance.ts'
import hostrate from '../../../../../src/shell/commands/monitor/hostrate.ts'
import rate from '../../../../../src/shell/commands/monitor/rate.ts'
import topin from '../../../../../src/shell/commands/monitor/topin.ts'
import workqueue from '../../../../../src/shell/commands/monitor/workqueue.ts'
import type { Command, Session } from '../../../../../src/shell/command.ts'
import { FakeClock, settle } from '../../../../support/fake-clock.ts'

/** Runs a command for some displays, changing the figures between them, and then presses Ctrl-C. */
const display = async (
  command: Command,
  words: readonly string[],
  parts: Partial<Appliance>,
  steps: readonly (() => void)[],
): Promise<string> => {
  const clock = new FakeClock('2022-03-29T23:37:13Z')
  const stop = new AbortController()
  const shown: string[] = []
  const session = {
    appliance: {
      env: { clock },
      time: localTime({ at: () => null, list: () => [] }, () => 'Etc/GMT'),
      ...parts,
    },
    terminal: { untilInterrupt: () => ({ signal: stop.signal, done: () => undefined }) },
    print: (...lines: readonly string[]) => void shown.push(...lines),
    page: async (lines: Iterable<string>) => void shown.push(...lines),
  } as unknown as Session
  const form = command.forms?.find((f) => f.words.every((word, i) => word === words[i]))
  const run = form ? form.run(session, words.slice(form.words.length)) : command.run?.(session)
  await settle()
  for (const step of steps) {
    step()
    await clock.advance(1000)
  }
  stop.abort()
  await run
  return shown.join('\n')
}

const parts = () => {
  const now = { received: 41_708_833, completed: 40_842_686, inWork: 10, done: 0, taken: 0, delivered: 0, queued: 1 }
  const figures = () => ({
    up: true,
    connectionsOut: 1,
    delivered: now.delivered,
    softBounced: 0,
    hardBounced: { dns: 0, refused: 0, expired: 0, other: 0 },
  })
  const appliance = {
    counters: {
      value: (name: CounterName) => (name === 'recipientsReceived' ? now.received : now.completed),
      gauge: (name: string) => (name === 'inboundConnections' ? 10 : 2),
    },
    spool: { gauges: () => ({ bytes: 65_000, inWork: now.inWork }) },
    queue: {
      worked: () => ({ taken: now.taken, done: now.done }),
      host: () => ({ depth: { recipients: now.queued, attempted: 0, oldestMid: null }, figures: figures() }),
    },
    inbound: {
      top: () => [{ reverseHost: null, remoteAddress: '172.16.0.2', listener: 'Incoming01', connections: 10 }],
    },
  } as unknown as Partial<Appliance>
  return { now, appliance }
}

describe('displays that go on until Ctrl-C', () => {
  it('show the rate since the line before, in the columns of AsyncOS', async () => {
    const { now, appliance } = parts()
    const shown = await display(rate, ['1'], appliance, [
      () => {
        now.received += 7
        now.completed += 3
      },
    ])
    expect(shown).toContain(
      [
        'Time     Connections Recipients          Recipients          Queue',
        '         In   Out    Received   Delta    Completed  Delta    K-Used',
        '23:37:13 10     2     41708833      0     40842686      0        64',
        '23:37:14 10     2     41708840      7     40842689      3        64',
      ].join('\n'),
    )
  })

  it('show what was delivered to a host', async () => {
    const { now, appliance } = parts()
    const shown = await display(hostrate, ['aol.com', '1'], appliance, [
      () => {
        now.delivered += 4
        now.queued = 0
      },
    ])
    expect(shown).toContain(
      [
        '    Time    Host    CrtCncOut  ActvRcp  ActvRcp  DlvRcp  HrdBncRcp  SftBncEvt',
        '           Status                        Delta    Delta    Delta      Delta',
        '23:37:13     up         1         1       0         0        0          0',
        '23:37:14     up         1         0      -1         4        0          0',
      ].join('\n'),
    )
  })

  it('show what went through the work queue', async () => {
    const { now, appliance } = parts()
    const shown = await display(workqueue, ['rate', '1'], appliance, [
      () => {
        now.done = 6
        now.inWork = 9
      },
    ])
    expect(shown).toContain('23:37:14         9       5       6')
  })

  it('show who is connected', async () => {
    const shown = await display(topin, [], parts().appliance, [])
    expect(shown).toContain(' 1  unknown                  172.16.0.2       Incoming01          10')
  })
})
