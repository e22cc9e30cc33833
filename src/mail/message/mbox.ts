/** `Thu Jan  4 23:51:34 2007`: asctime in UTC, as an mbox separator has it (RFC 4155). */
const asctime = (at: Date): string => {
  const [day = '', date = '', month = '', year = '', time = ''] = at.toUTCString().replace(',', '').split(' ')
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${time} ${year}`
}

/** One message as an mbox: bare line feeds, and `>` before each `From ` so that no reader takes it for a separator. */
export const toMbox = (message: Buffer, sender: string, receivedAt: Date): Buffer => {
  // An address with a blank or a line end would break the separator.
  const from = sender === '' || /[^!-~]/.test(sender) ? 'MAILER-DAEMON' : sender
  const text = message
    .toString('latin1')
    .replace(/\r\n/g, '\n')
    .replace(/^(>*From )/gm, '>$1')
  return Buffer.from(`From ${from} ${asctime(receivedAt)}\n${text}${text.endsWith('\n') ? '' : '\n'}\n`, 'latin1')
}
