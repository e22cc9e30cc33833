import type { FetchMessageObject, ImapFlow } from 'imapflow'
import type { ImapServer } from '../../config/sections/imap-mailboxes.ts'
import { splitAddress } from '../../core/mailbox-path.ts'

/** A mailbox has no more folders for us; the rest is not searched. */
const MAX_FOLDERS = 1000
/** Messages with one Message-ID that are looked at in a folder. */
const MAX_MATCHES = 100
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024
const CONNECT_MS = 15_000
const SILENCE_MS = 45_000

/** One message as the server has it. `validity` and `uid` name it for ever (RFC 9051 §2.3.1.1). */
export interface ImapMail {
  readonly folder: string
  readonly validity: string
  readonly uid: number
  readonly head: Buffer
}

export interface ImapSession {
  /** A folder's name as it is shown: levels parted by slashes. */
  shown(folder: string): string
  /** Folders that hold messages, the inbox first. */
  folders(): Promise<readonly string[]>
  /** Messages of a folder whose Message-ID contains the text: the caller compares. Nothing when there is no such folder. */
  matching(folder: string, messageId: string): Promise<readonly ImapMail[]>
  /** null = no such message any more. */
  whole(
    mail: ImapMail,
  ): Promise<{ readonly bytes: Buffer; readonly flags: readonly string[]; readonly at: Date } | null>
  /** Takes out this message and no other. False when the server cannot (RFC 4315). */
  expunge(mail: ImapMail): Promise<boolean>
  append(folder: string, bytes: Buffer, flags: readonly string[], at: Date): Promise<void>
}

/** The login for a mailbox, as the profile's pattern has it. */
const loginFor = (pattern: string, mailbox: string): string =>
  pattern.replaceAll('{address}', mailbox).replaceAll('{local}', splitAddress(mailbox).local)

const inFolder = async <T>(
  client: ImapFlow,
  folder: string,
  readOnly: boolean,
  work: (validity: string) => Promise<T>,
): Promise<T | null> => {
  let lock
  try {
    lock = await client.getMailboxLock(folder, { readOnly })
  } catch (error) {
    // NO to SELECT: deleted, or not for us.
    if ((error as { readonly responseStatus?: string }).responseStatus === 'NO') return null
    throw error
  }
  try {
    return client.mailbox === false ? null : await work(String(client.mailbox.uidValidity))
  } finally {
    lock.release()
  }
}

const sessionOf = (client: ImapFlow): ImapSession => ({
  shown: (folder) => folder.replaceAll(client.namespace?.delimiter ?? '/', '/'),
  folders: async () => {
    const listed = await client.list()
    const names = listed.filter((f) => !f.flags.has('\\Noselect') && !f.flags.has('\\NonExistent')).map((f) => f.path)
    return [...names].sort((a, b) => Number(b === 'INBOX') - Number(a === 'INBOX')).slice(0, MAX_FOLDERS)
  },
  matching: async (folder, messageId) =>
    (await inFolder(client, folder, true, async (validity) => {
      const uids = await client.search({ header: { 'message-id': messageId } }, { uid: true })
      if (uids === undefined || uids === false || uids.length === 0) return []
      const mails: ImapMail[] = []
      for await (const m of client.fetch(uids.slice(0, MAX_MATCHES), { headers: true, uid: true }, { uid: true }))
        if (m.headers) mails.push({ folder, validity, uid: m.uid, head: m.headers })
      return mails
    })) ?? [],
  whole: ({ folder, validity, uid }) =>
    inFolder(client, folder, true, async (now) => {
      if (now !== validity) return null
      const query = { source: true, flags: true, internalDate: true, size: true, uid: true }
      const about = await client.fetchOne(`${uid}`, { size: true, uid: true }, { uid: true })
      if (about && (about.size ?? 0) > MAX_MESSAGE_BYTES) throw new Error(`the message has ${about.size} bytes`)
      const m: FetchMessageObject | false | undefined = await client.fetchOne(`${uid}`, query, { uid: true })
      if (!m || !m.source) return null
      const flags = [...(m.flags ?? [])].filter((flag) => flag !== '\\Recent')
      return { bytes: m.source, flags, at: new Date(m.internalDate ?? 0) }
    }),
  expunge: async ({ folder, validity, uid }) => {
    // Without UIDPLUS an EXPUNGE takes out whatever anybody has marked as deleted.
    if (!client.capabilities.has('UIDPLUS')) return false
    const done = await inFolder(client, folder, false, async (now) =>
      now === validity ? await client.messageDelete(`${uid}`, { uid: true }) : true,
    )
    if (done === false) throw new Error('the server did not delete the message')
    return true
  },
  append: async (folder, bytes, flags, at) => {
    // Flags are left out that the open folder cannot keep: one that was opened for reading keeps none.
    if (client.mailbox !== false) await client.mailboxClose()
    const done = await client.append(folder, bytes, [...flags], at)
    if (done === false) throw new Error('the server did not take the message')
  },
})

/** Opens the mailbox, works in it, and closes the connection, also when the signal ends the work. */
export const inMailbox = async <T>(
  server: ImapServer,
  mailbox: string,
  signal: AbortSignal,
  work: (session: ImapSession) => Promise<T>,
): Promise<T> => {
  signal.throwIfAborted()
  const library = await import('imapflow')
  const client = new library.ImapFlow({
    host: server.host,
    port: server.port,
    secure: server.security === 'tls',
    ...(server.security === 'tls' ? {} : { doSTARTTLS: server.security === 'starttls' }),
    auth: { user: loginFor(server.login, mailbox), pass: server.passphrase },
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  })
  // Without a listener an error between two commands would end the process; the next command fails by itself.
  client.on('error', () => undefined)
  const stop = (): void => client.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await client.connect()
    return await work(sessionOf(client))
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await client.logout().catch(() => client.close())
  }
}
