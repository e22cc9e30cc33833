import { statfs } from 'node:fs/promises'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { arpTable } from '../../format/network-tables.ts'
import { wordForm } from '../../options.ts'
import { unreached } from '../../remote.ts'
import { SMTP_TEST_OPTIONS, askSmtpTest, runSmtpTest, smtpTestUsage } from '../../smtp-test.ts'

const flush = async (session: Session): Promise<void> => {
  await Promise.resolve()
  session.appliance.dns.flush()
  session.print('Network caches have been flushed.')
}

const arp = async (session: Session): Promise<void> => {
  const entries = await session.appliance.diagnostics.machine.arp().catch(unreached)
  if (entries.length === 0) session.print('The ARP cache is empty.')
  else await session.page(['System ARP cache contents:', '', ...arpTable(entries)])
}

/** The disk that holds the home, as statfs(2) tells it. */
const disk = async (session: Session): Promise<void> => {
  const { home } = session.appliance
  const { blocks, bfree, bavail, bsize } = await statfs(home)
  const kilobytes = (count: number): number => Math.round((count * bsize) / 1024)
  const used = blocks - bfree
  const share = used + bavail === 0 ? 0 : Math.ceil((used * 100) / (used + bavail))
  session.print(
    ['1024-blocks', 'Used', 'Avail'].map((title) => title.padStart(12)).join('') + '  Capacity  Home',
    [blocks, used, bavail].map((count) => String(kilobytes(count)).padStart(12)).join('') +
      `${`${share}%`.padStart(10)}  ${home}`,
  )
}

const network = async (session: Session): Promise<void> => {
  for (;;) {
    const operation = await session.ask.choose({
      FLUSH: 'Flush all network related caches.',
      ARPSHOW: 'Show system ARP cache.',
      SMTPPING: 'Test a remote SMTP server.',
    })
    if (operation === null) return
    if (operation === 'FLUSH') await flush(session)
    else if (operation === 'ARPSHOW') await arp(session)
    else await askSmtpTest(session)
  }
}

const plain = (words: readonly string[], run: (session: Session) => Promise<void>): Form =>
  wordForm(`diagnostic ${words.join(' ')}`, words, 0, run)

const PING_USAGE = smtpTestUsage('diagnostic network smtpping')

export default defineCommand({
  name: 'diagnostic',
  summary: 'Check the disk and the network',
  description:
    'Hardware and network utilities: use of the disk that holds the home, the ARP cache of the system, flushing the cache of DNS answers, ' +
    'and the test of an SMTP server (smtpping).',
  options: SMTP_TEST_OPTIONS,
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    for (;;) {
      const operation = await session.ask.choose({
        DISK_USAGE: 'Check Disk Usage.',
        NETWORK: 'Network Utilities.',
      })
      if (operation === null) return
      if (operation === 'NETWORK') await network(session)
      else await disk(session)
    }
  },
  forms: [
    plain(['disk_usage'], disk),
    plain(['network', 'flush'], flush),
    plain(['network', 'arpshow'], arp),
    {
      usage: PING_USAGE,
      words: ['network', 'smtpping'],
      run: (session, args) => runSmtpTest(session, PING_USAGE, args),
    },
  ],
})
