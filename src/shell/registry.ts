import { EVERYONE, OPERATORS, READERS } from './command.ts'
import type { CommandEntry } from './command.ts'
import { CONFIGURE } from './registry-configure.ts'

const OTHERS: readonly CommandEntry[] = [
  {
    name: 'archivemessage',
    summary: 'Save a message of the queue as a file, by its MID',
    roles: OPERATORS,
    load: async () => (await import('./commands/system/archivemessage.ts')).default,
  },
  {
    name: 'bouncerecipients',
    summary: 'Bounce messages in the delivery queue',
    roles: OPERATORS,
    load: async () => (await import('./commands/system/bouncerecipients.ts')).default,
  },
  {
    name: 'deleterecipients',
    summary: 'Delete messages from the delivery queue',
    roles: OPERATORS,
    load: async () => (await import('./commands/system/deleterecipients.ts')).default,
  },
  {
    name: 'delivernow',
    summary: 'Reschedule messages for immediate delivery',
    roles: OPERATORS,
    load: async () => (await import('./commands/system/delivernow.ts')).default,
  },
  {
    name: 'diagnostic',
    summary: 'Check the disk and the network',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/diagnostic.ts')).default,
  },
  {
    name: 'dig',
    summary: 'Ask a name server and show its whole answer',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/dig.ts')).default,
  },
  {
    name: 'displayalerts',
    summary: 'Show the last alerts',
    roles: READERS,
    load: async () => (await import('./commands/monitor/displayalerts.ts')).default,
  },
  {
    name: 'dnsflush',
    summary: 'Clear the cache of DNS answers',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/dnsflush.ts')).default,
  },
  {
    name: 'findevent',
    summary: 'Find messages in the logs and tell their story',
    roles: READERS,
    load: async () => (await import('./commands/monitor/findevent.ts')).default,
  },
  {
    name: 'grep',
    summary: 'Search a log with regular expressions',
    roles: READERS,
    load: async () => (await import('./commands/monitor/grep.ts')).default,
  },
  {
    name: 'help',
    aliases: ['?'],
    summary: 'List the commands, or show the syntax of one',
    roles: EVERYONE,
    load: async () => (await import('./commands/system/help.ts')).default,
  },
  {
    name: 'hostrate',
    summary: 'Show delivery to one recipient host as it changes',
    roles: READERS,
    load: async () => (await import('./commands/monitor/hostrate.ts')).default,
  },
  {
    name: 'hoststatus',
    summary: 'Show the state of delivery to one recipient host',
    roles: READERS,
    load: async () => (await import('./commands/monitor/hoststatus.ts')).default,
  },
  {
    name: 'last',
    summary: 'List who was logged in, newest first',
    roles: READERS,
    load: async () => (await import('./commands/monitor/last.ts')).default,
  },
  {
    name: 'netstat',
    summary: 'Show sockets, interfaces, routes and packet traffic',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/netstat.ts')).default,
  },
  {
    name: 'nslookup',
    summary: 'Query a name server',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/nslookup.ts')).default,
  },
  {
    name: 'oldmessage',
    summary: 'Show the oldest message that is not in quarantine',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/oldmessage.ts')).default,
  },
  {
    name: 'passwd',
    summary: 'Change your passphrase',
    roles: EVERYONE,
    load: async () => (await import('./commands/system/passwd.ts')).default,
  },
  {
    name: 'ping',
    summary: 'Ping a network host',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/ping.ts')).default,
  },
  {
    name: 'quarantine',
    summary: 'List, show, release or delete messages in quarantine',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/quarantine.ts')).default,
  },
  {
    name: 'quit',
    aliases: ['exit'],
    summary: 'Leave the shell',
    roles: EVERYONE,
    load: async () => (await import('./commands/system/quit.ts')).default,
  },
  {
    name: 'rate',
    summary: 'Show connections, recipients and queue size as they change',
    roles: READERS,
    load: async () => (await import('./commands/monitor/rate.ts')).default,
  },
  {
    name: 'redirectrecipients',
    summary: 'Redirect all messages in the delivery queue to another host',
    roles: OPERATORS,
    load: async () => (await import('./commands/system/redirectrecipients.ts')).default,
  },
  {
    name: 'remediation',
    summary: 'List, approve, deny and undo mailbox remediation',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/remediation.ts')).default,
  },
  {
    name: 'removemessage',
    summary: 'Remove a message from the queue, by its MID',
    roles: OPERATORS,
    load: async () => (await import('./commands/system/removemessage.ts')).default,
  },
  {
    name: 'resetcounters',
    summary: 'Let the counters of status begin at 0',
    roles: OPERATORS,
    load: async () => (await import('./commands/system/resetcounters.ts')).default,
  },
  {
    name: 'resume',
    summary: 'Resume receiving and delivery',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/system/resume.ts')).default,
  },
  {
    name: 'resumedel',
    summary: 'Resume delivery',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/system/resumedel.ts')).default,
  },
  {
    name: 'resumelistener',
    summary: 'Resume receiving on listeners',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/system/resumelistener.ts')).default,
  },
  {
    name: 'rollovernow',
    summary: 'Begin a new log file',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/rollovernow.ts')).default,
  },
  {
    name: 'showmessage',
    summary: 'Show a message that is in the queue, by its MID',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/showmessage.ts')).default,
  },
  {
    name: 'showrecipients',
    summary: 'Show messages in the delivery queue by recipient host, sender or all',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/showrecipients.ts')).default,
  },
  {
    name: 'smtpping',
    summary: 'Test a remote SMTP server',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/smtpping.ts')).default,
  },
  {
    name: 'status',
    summary: 'Show the state of the appliance',
    roles: EVERYONE,
    load: async () => (await import('./commands/monitor/status.ts')).default,
  },
  {
    name: 'suspend',
    summary: 'Suspend receiving and delivery',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/system/suspend.ts')).default,
  },
  {
    name: 'suspenddel',
    summary: 'Suspend delivery',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/system/suspenddel.ts')).default,
  },
  {
    name: 'suspendlistener',
    summary: 'Suspend receiving on listeners',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/system/suspendlistener.ts')).default,
  },
  {
    name: 'tail',
    summary: 'Show the end of a log, and what is written to it',
    roles: READERS,
    load: async () => (await import('./commands/monitor/tail.ts')).default,
  },
  {
    name: 'telnet',
    summary: 'Connect to a remote host',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/telnet.ts')).default,
  },
  {
    name: 'tlsverify',
    summary: 'Establish an outbound TLS connection and check the certificate',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/tlsverify.ts')).default,
  },
  {
    name: 'tophosts',
    summary: 'Show the recipient hosts with the most mail',
    roles: READERS,
    load: async () => (await import('./commands/monitor/tophosts.ts')).default,
  },
  {
    name: 'topin',
    summary: 'Show the remote hosts with the most connections',
    roles: READERS,
    load: async () => (await import('./commands/monitor/topin.ts')).default,
  },
  {
    name: 'traceroute',
    summary: 'Show the network route to a host',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/traceroute.ts')).default,
  },
  {
    name: 'version',
    summary: 'Show the version of the appliance',
    roles: EVERYONE,
    load: async () => (await import('./commands/monitor/version.ts')).default,
  },
  {
    name: 'webcacheflush',
    summary: 'Forget the cached answers of URL look-ups',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/webcacheflush.ts')).default,
  },
  {
    name: 'websecuritydiagnostics',
    summary: 'Show cache and response times of URL look-ups',
    roles: EVERYONE,
    load: async () => (await import('./commands/diagnose/websecuritydiagnostics.ts')).default,
  },
  {
    name: 'who',
    summary: 'List who is logged in',
    roles: READERS,
    load: async () => (await import('./commands/monitor/who.ts')).default,
  },
  {
    name: 'whoami',
    summary: 'Show the user that you work as',
    roles: EVERYONE,
    load: async () => (await import('./commands/system/whoami.ts')).default,
  },
  {
    name: 'workqueue',
    summary: 'Show, pause or resume the work queue',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/monitor/workqueue.ts')).default,
  },
]

/**
 * Every command, sorted by name: name, summary and roles stand here so that `help` and completion load nothing.
 * A test compares them with the loaded command.
 */
export const REGISTRY: readonly CommandEntry[] = [...CONFIGURE, ...OTHERS].sort((a, b) => (a.name < b.name ? -1 : 1))
