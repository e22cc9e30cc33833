/** Every reply of the server, with its enhanced status code (RFC 3463). One place, so that the whole vocabulary can be read. */
export const REPLIES = {
  ok: '250 2.0.0 ok',
  reset: '250 2.0.0 reset',
  sender: '250 2.1.0 sender ok',
  recipient: '250 2.1.5 recipient ok',
  verify: '252 2.1.5 cannot verify, but will take a message and try',
  help: '214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP VRFY HELP STARTTLS QUIT',
  data: '354 go ahead, end with <CRLF>.<CRLF>',
  startTls: '220 2.0.0 go ahead with TLS',
  unknown: '500 5.5.1 command not recognized',
  tooLong: '500 5.5.2 line too long',
  bareNewline: '500 5.5.2 lines must end in <CRLF>',
  badBytes: '500 5.5.2 the command is not valid UTF-8 or holds control characters',
  notOffered: '502 5.5.1 not offered',
  noArgument: '501 5.5.4 takes no argument',
  argumentMissing: '501 5.5.4 an argument is missing',
  helloSyntax: '501 5.5.4 give the name of your host',
  mailSyntax: '501 5.5.4 syntax: MAIL FROM:<address>',
  rcptSyntax: '501 5.5.4 syntax: RCPT TO:<address>',
  senderSyntax: '553 5.1.7 the sender address is not valid',
  recipientSyntax: '553 5.1.3 the recipient address is not valid',
  needsUtf8: '553 5.6.7 the address needs SMTPUTF8',
  parameterSyntax: '501 5.5.4 the value of a parameter is not valid',
  parameter: '555 5.5.4 a parameter is not supported',
  helloFirst: '503 5.5.1 say EHLO or HELO first',
  nested: '503 5.5.1 a message is already under way',
  mailFirst: '503 5.5.1 give the sender with MAIL first',
  rcptFirst: '503 5.5.1 give a recipient with RCPT first',
  tlsFirst: '530 5.7.0 issue STARTTLS first',
  authFirst: '530 5.7.0 authentication required',
  authNeedsTls: '538 5.7.11 issue STARTTLS first',
  authMechanism: '504 5.5.4 the mechanism is not offered',
  authSyntax: '501 5.5.2 the response cannot be read',
  authCancelled: '501 5.7.0 authentication cancelled',
  authAgain: '503 5.5.1 already authenticated',
  authDone: '235 2.7.0 authenticated',
  authFailed: '535 5.7.8 the user name or passphrase is wrong',
  tlsBusy: '454 4.7.0 too many connections use TLS, try again later',
  secure: '503 5.5.1 TLS is already in use',
  tooManyRecipients: '452 4.5.3 too many recipients',
  tooManyMessages: '421 4.7.0 too many messages on this connection',
  tooManyErrors: '421 4.7.0 too many errors',
  tooBig: '552 5.3.4 message size exceeds limit',
  messageNewlines: '550 5.6.0 a line of the message ends in a CR or LF alone',
  messageNul: '550 5.6.0 the message holds a NUL byte',
  busy: '452 4.3.1 out of memory for messages, try again later',
  timeout: '421 4.4.2 timed out, closing',
  expired: '421 4.4.2 the connection is open for too long, closing',
  stopping: '421 4.3.2 shutting down',
} as const

/**
 * A reply in an operator's words, or in ours where there are none. RFC 2034 §4: each has an enhanced code; words without one
 * get it, `detail` being what follows its class (`7.1`).
 */
export const ownReply = (code: number, words: string, detail: string, ours: string): string => {
  const text = words === '' ? ours : words
  return /^[245]\.\d{1,3}\.\d{1,3}(?: |$)/.test(text)
    ? `${code} ${text}`
    : `${code} ${Math.floor(code / 100)}.${detail} ${text}`
}
