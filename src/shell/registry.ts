import { ADMINISTRATORS, EVERYONE, OPERATORS, READERS } from './command.ts'
import type { CommandEntry } from './command.ts'

/**
 * Every command, sorted by name: name, summary and roles stand here so that `help` and completion load nothing.
 * A test compares them with the loaded command.
 */
export const REGISTRY: readonly CommandEntry[] = [
  {
    name: 'addresslistconfig',
    summary: 'Configure address lists',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/addresslistconfig.ts')).default,
  },
  {
    name: 'alertconfig',
    summary: 'Configure who gets alerts by mail',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/alertconfig.ts')).default,
  },
  {
    name: 'clearchanges',
    aliases: ['clear'],
    summary: 'Clear the changes that are not committed',
    roles: READERS,
    load: async () => (await import('./commands/configure/clearchanges.ts')).default,
  },
  {
    name: 'commit',
    summary: 'Commit the changes',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/commit.ts')).default,
  },
  {
    name: 'commitdetail',
    summary: 'Show when and why the configuration was last committed',
    roles: READERS,
    load: async () => (await import('./commands/configure/commitdetail.ts')).default,
  },
  {
    name: 'displayalerts',
    summary: 'Show the last alerts',
    roles: READERS,
    load: async () => (await import('./commands/monitor/displayalerts.ts')).default,
  },
  {
    name: 'filters',
    summary: 'Configure message filters',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/filters.ts')).default,
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
    name: 'listenerconfig',
    summary: 'Configure mail listeners',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/listenerconfig.ts')).default,
  },
  {
    name: 'loadconfig',
    summary: 'Load a configuration file',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/loadconfig.ts')).default,
  },
  {
    name: 'logconfig',
    summary: 'Configure the log subscriptions',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/logconfig.ts')).default,
  },
  {
    name: 'nslookup',
    summary: 'Query a name server',
    roles: OPERATORS,
    load: async () => (await import('./commands/diagnose/nslookup.ts')).default,
  },
  {
    name: 'policyconfig',
    summary: 'Configure per recipient or sender mail policies',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/policyconfig.ts')).default,
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
    name: 'remediation',
    summary: 'List, approve and undo mailbox remediation',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/remediation.ts')).default,
  },
  {
    name: 'resetconfig',
    summary: 'Restore the factory default configuration',
    roles: ADMINISTRATORS,
    load: async () => (await import('./commands/configure/resetconfig.ts')).default,
  },
  {
    name: 'rollbackconfig',
    summary: 'Go back to a configuration that was saved at a commit',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/rollbackconfig.ts')).default,
  },
  {
    name: 'rollovernow',
    summary: 'Begin a new log file',
    roles: OPERATORS,
    load: async () => (await import('./commands/monitor/rollovernow.ts')).default,
  },
  {
    name: 'saveconfig',
    summary: 'Save the running configuration to a file',
    roles: ['administrator', 'operator', 'technician'],
    load: async () => (await import('./commands/configure/saveconfig.ts')).default,
  },
  {
    name: 'sethostname',
    summary: 'Set the name of the appliance',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/sethostname.ts')).default,
  },
  {
    name: 'settz',
    summary: 'Set the time zone',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/settz.ts')).default,
  },
  {
    name: 'showchanges',
    summary: 'Show the changes that are not committed',
    roles: READERS,
    load: async () => (await import('./commands/configure/showchanges.ts')).default,
  },
  {
    name: 'showconfig',
    summary: 'Show the running configuration',
    roles: READERS,
    load: async () => (await import('./commands/configure/showconfig.ts')).default,
  },
  {
    name: 'smtproutes',
    summary: 'Set up permanent domain redirections',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/smtproutes.ts')).default,
  },
  {
    name: 'status',
    summary: 'Show the state of the appliance',
    roles: EVERYONE,
    load: async () => (await import('./commands/monitor/status.ts')).default,
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
    name: 'urllistconfig',
    summary: 'Configure lists of URLs',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/urllistconfig.ts')).default,
  },
  {
    name: 'urlretroservice',
    summary: 'Enable, disable or poll the URL retrospective service',
    roles: OPERATORS,
    load: async () => (await import('./commands/configure/urlretroservice.ts')).default,
  },
  {
    name: 'version',
    summary: 'Show the version of the appliance',
    roles: EVERYONE,
    load: async () => (await import('./commands/monitor/version.ts')).default,
  },
]
