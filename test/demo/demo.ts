import { spawn } from 'node:child_process'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { message } from '../support/eml.ts'
import { delivered, shortName } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { ended, until } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { createChecks } from './checks.ts'
import { startDemoFeed } from './feed.ts'
import type { DemoFeed } from './feed.ts'
import { heading, print, quote } from './screen.ts'

const HOSTNAME = 'mail.example.com'
const RECIPIENT = 'user@example.com'
const URL_UNKNOWN = 'http://parcel-desk.example.net/choose/20220329'
const BAD_DOMAIN = 'lottery.example.org'

/** What an operator would type; an empty line takes the default of the question. */
const settings = (feed: string): string => `urlretroservice enable
intelconfig sources add demo_feed ${feed} --format urlhaus-csv --refresh 10
websecurityconfig



y

filters
new
hold_untrusted: if (sdr-reputation(['awful'], "")) { quarantine("Policy"); }
.

commit
Settings of the demo

`

const MESSAGES = [
  { file: 'clean', from: 'colleague@partner.example.org', what: 'a clean one' },
  { file: 'unknown-url', from: 'desk@parcels.example.net', what: 'one with a URL that nobody knows' },
  { file: 'untrusted-sender', from: `winner@${BAD_DOMAIN}`, what: 'one whose sender domain is judged Untrusted' },
] as const

const home = freshHome()
const checks = createChecks(print)
let serving: Serving | null = null
let feed: DemoFeed | null = null

/** Runs shell commands against the home and shows them as a terminal would. */
const operate = async (input: string, args: readonly string[] = []): Promise<string> => {
  const { stdout, stderr, code } = await shell(home, [...args, '--echo'], input)
  // The prompt after the last command waits for nobody.
  quote(`${stderr}${stdout}`.replace(/\n\S+> \n?$/, ''))
  print('')
  if (code !== 0) throw new Error(`the shell ended with ${code} after:\n${input}`)
  return stdout
}

/** The answer to one command, for the demo's own eyes. */
const ask = async (command: string): Promise<string> => (await shell(home, ['-c', command])).stdout

const send = async (port: number): Promise<ReadonlyMap<string, number>> => {
  const mids = new Map<string, number>()
  for (const { file, from, what } of MESSAGES) {
    const client = await SmtpClient.open(port, { helo: `mx.${from.split('@')[1]}` })
    const reply = await client.send({ from, to: [RECIPIENT] }, message(file))
    await client.quit()
    quote(`${what}: ${reply.code} ${reply.text}`)
    const mid = /Message (\d+) accepted/i.exec(reply.text)?.[1]
    if (mid !== undefined) mids.set(file, Number(mid))
  }
  return mids
}

const showMailbox = (): readonly string[] => {
  const mails = delivered(home)
  const subjects = mails.map(({ bytes }) => /^Subject: (.*)$/m.exec(bytes.toString())?.[1]?.trim() ?? '')
  for (const [i, mail] of mails.entries()) quote(`${shortName(mail)}  ${subjects[i]}`)
  if (mails.length === 0) quote('(empty)')
  return subjects
}

const story = async (): Promise<void> => {
  heading('1. A new appliance: settings are staged, then committed')
  const port = await freePort()
  feed = await startDemoFeed(home)
  await operate(settings(feed.url), ['--hostname', HOSTNAME, '--smtp', `127.0.0.1:${port}`, '--accept', 'example.com'])

  heading(`2. It runs: lychgate serve, SMTP on 127.0.0.1:${port}`)
  serving = await serve(home, { port, env: { NODE_EXTRA_CA_CERTS: feed.caFile } })
  const version = await operate('version\n')
  checks.holds('a shell reaches the running appliance', version.includes('Lychgate'))
  await operate(`intelconfig set ${BAD_DOMAIN} untrusted\n`)

  heading('3. Three messages come in over SMTP')
  const mids = await send(port)
  checks.holds('each was answered 250 with its MID', mids.size === MESSAGES.length)
  const mid = mids.get('unknown-url') ?? 0
  const held = mids.get('untrusted-sender') ?? 0
  await until('two messages are in the mailbox', () => delivered(home).length >= 2)
  await until('the third is in quarantine', async () => (await ask('quarantine list')).includes(BAD_DOMAIN))

  heading(`4. What became of them: findevent -m MID`)
  const watched = await operate(`findevent -m ${mid} mail_logs\n`)
  checks.holds('the sender was judged by reputation', watched.includes('SDR: Consolidated Sender Threat Level: '))
  const stopped = await operate(`findevent -m ${held} mail_logs\nquarantine list\n`)
  checks.holds('the sender domain is Untrusted', stopped.includes('SDR: Consolidated Sender Threat Level: Untrusted'))
  checks.holds('its message is held in the quarantine', /quarantined to "Policy"/.test(stopped))

  heading(`5. The mailbox of ${RECIPIENT}, before`)
  const before = showMailbox()
  checks.holds('the message with the URL is there', before.includes('Your parcel is waiting'))
  checks.holds('the held message is not', !before.includes('You have won'))

  heading('6. A feed learns of the URL; the retrospective service tells')
  await operate(`urlretroservice poll\nintelconfig explain ${URL_UNKNOWN}\n`)
  feed.report(URL_UNKNOWN)
  quote(`the feed's server has a new line now: ${feed.lastLine()}`)
  print('')
  // The feed is read on its own schedule, every ten seconds here.
  const known = `intelconfig explain ${URL_UNKNOWN}`
  await until('the feed was read', async () => (await ask(known)).includes('Untrusted'), 30_000)
  const explained = await operate(`${known}\nintelconfig sources print\nurlretroservice poll\n`)
  checks.holds(
    'the feed turned the URL, not a command',
    /demo_feed/.test(explained) && !/operator/i.test(explained.split('sources print')[0] ?? ''),
  )
  checks.holds('the poll brought one verdict update', explained.includes('URL verdict updates: 1'))
  await until('remediation is done', async () =>
    (await ask(`grep "MID: ${mid} Remediation" remediation`)).includes(RECIPIENT),
  )
  await operate('displayalerts\n')
  const ecs = await operate('grep "" ecs\n')
  const remediation = await operate('grep "" remediation\n')
  const end = await operate(`grep "Message ${mid} was processed" mail_logs\n`)
  checks.holds('the verdict came', ecs.includes('URL verdict update received from retrospective service.'))
  checks.holds('the copy was deleted', remediation.includes(`Message deleted successfully from ${RECIPIENT} mailbox.`))
  checks.holds(
    'mail_logs tells the result',
    end.includes(
      `Message ${mid} was processed due to URL retrospection by Mailbox Remediation with 'Delete' remedial action for recipient ${RECIPIENT}.`,
    ) && end.includes('Remediation status: Remediated.'),
  )
  const alerts = await ask('displayalerts')
  checks.holds('an alert was raised', alerts.includes('URL verdict update received from retrospective service.'))

  heading(`7. The mailbox of ${RECIPIENT}, after`)
  const after = showMailbox()
  checks.holds('the message with the URL is gone', !after.includes('Your parcel is waiting'))
  checks.holds('the clean one is still there', after.includes('Minutes of the meeting'))

  heading('8. A second poll acts on nothing')
  await operate('urlretroservice poll\n')
  const again = await ask('grep "deleted successfully" remediation')
  checks.holds('nothing was deleted twice', again.match(/deleted successfully/g)?.length === 1)
}

/** The operator's turn: the shell on the appliance that the demo has started. */
const handOver = async (): Promise<void> => {
  heading('Your turn: the shell is attached to the running appliance')
  print(`  Three things to try:
    remediation list          what was deleted, and: remediation undo NUMBER
    quarantine list           what is held, and: quarantine release MID
    tail mail_logs            follow the log (Ctrl-C ends it)
  quit leaves; the appliance and its home are removed then.\n`)
  await ended(spawn(process.execPath, [program, '--home', home], { stdio: 'inherit' }))
}

const cleanUp = async (): Promise<void> => {
  await serving?.stop()
  serving = null
  await feed?.stop()
  feed = null
  removeHome(home)
}

// Whatever ends the demo, neither a process nor a folder stays behind.
process.on('exit', () => {
  if (serving) process.kill(serving.pid, 'SIGKILL')
  removeHome(home)
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))

try {
  await story()
  heading('Result')
  const failures = checks.failed.length
  print(failures === 0 ? `  All ${checks.count} facts hold.` : `  ${failures} of ${checks.count} facts do not hold.`)
  process.exitCode = failures === 0 ? 0 : 1
  if (failures === 0 && process.stdin.isTTY && process.stdout.isTTY) await handOver()
} catch (error) {
  print(`\nThe demo could not go on: ${error instanceof Error ? error.message : String(error)}`)
  if (serving !== null) quote((serving as Serving).output())
  process.exitCode = 1
} finally {
  await cleanUp()
}
