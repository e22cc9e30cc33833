import { programCommand } from '../../program-command.ts'

export default programCommand({
  name: 'ping',
  summary: 'Ping a network host',
  description:
    'Sends ICMP echo requests until Ctrl-C and shows the answers, by the ping program of this machine. ' +
    'Where nobody is there to stop it (a script, one command over SSH) it sends five.',
  from: 'Which interface do you want to send the pings from?',
  to: 'Please enter the host you wish to ping.',
  unattended: 5,
})
