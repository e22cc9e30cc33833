import { programCommand } from '../../program-command.ts'

export default programCommand({
  name: 'traceroute',
  summary: 'Show the network route to a host',
  description: 'Shows the hosts on the way to another one, by the traceroute program of this machine. Ctrl-C stops it.',
  from: 'Which interface do you want to trace from?',
  to: 'Please enter the host to which you want to trace the route.',
})
