import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCounters } from '../../src/adapters/sqlite/counters-block.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../src/adapters/sqlite/database.ts'
import { createDeliveryLedger } from '../../src/adapters/sqlite/ledger.ts'
import { createQueueView } from '../../src/adapters/sqlite/queue-view.ts'
import { createSuspensionStore } from '../../src/adapters/sqlite/suspensions.ts'
import { SPOOL_MIGRATIONS } from '../../src/adapters/sqlite/spool-schema.ts'
import { createSpoolStore } from '../../src/adapters/sqlite/spool.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { NewSpoolEntry } from '../../src/store/spool.ts'

/** A spool in a directory of its own; `reopen` is what a restart sees. */
export const openSpool = async (clock: Clock, home: string, newWriter: () => SqliteWriter = inlineWriter) => {
  const writer = newWriter()
  const database = await writer.open(join(home, 'spool', 'spool.db'), SPOOL_MIGRATIONS)
  const asideMids: number[] = []
  const spool = createSpoolStore({
    database,
    directory: join(home, 'spool'),
    clock,
    onSetAside: (mid) => asideMids.push(mid),
  })
  return {
    spool,
    database,
    ledger: createDeliveryLedger(database),
    view: createQueueView(database, spool.moving),
    suspensionStore: createSuspensionStore(database),
    counters: await createCounters(database),
    asideMids,
    close: () => writer.close(),
  }
}

export const temporaryHome = (): { readonly home: string; remove(): void } => {
  const home = mkdtempSync(join(tmpdir(), 'lychgate-'))
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) }
}

/** An accepted message to `recipients`. */
export const newEntry = (mid: number, over: Partial<NewSpoolEntry> = {}): NewSpoolEntry => ({
  mid,
  rootMid: mid,
  icid: 1,
  receivedAt: new Date('2022-03-30T00:20:10Z'),
  listener: 'IncomingMail',
  direction: 'incoming',
  sender: 'alice@sender.example',
  recipients: [{ rid: 0, address: 'bob@example.com' }],
  helo: 'client.sender.example',
  remoteAddress: '192.0.2.1',
  reverseHost: null,
  reverseVerified: false,
  senderGroup: null,
  connectionGuid: 'Eme4o07gTA+a85XUX1xgPQ==',
  messageGuid: 'LtQbVb3sSf2r+kWodvwQ1g==',
  messageId: `<${mid}@sender.example>`,
  subject: 'hello',
  size: 40,
  trace: `Received: from client.sender.example (unknown [192.0.2.1])\r\n by mail.example.com (Lychgate) with ESMTP id ${mid}.0011223344556677;\r\n Wed, 30 Mar 2022 00:20:10 +0000\r\n`,
  state: { kind: 'work', resumeAt: null },
  body: Buffer.from('Subject: hello\r\n\r\nThe body.\r\n'),
  ...over,
})
