/** What one connection may ask of us. The rest of the limits stands in the listener's settings. */
export const SMTP_LIMITS = {
  /** RFC 5321 §4.5.3.1.4 asks for 512; parameters of extensions and UTF-8 addresses need more. */
  commandBytes: 2048,
  /** RFC 4954 §4: a line of AUTH. */
  saslBytes: 12_288,
  /** Refused commands, and recipients where none was taken, without a message between: then the connection is closed. */
  errors: 50,
  /** Header fields and bytes of a message (`listenerconfig setup` of AsyncOS has 1000 lines). */
  headerFields: 1000,
  headerBytes: 1_048_576,
  /** Received fields: more mean that the message goes in circles (RFC 5321 §6.3). */
  hops: 100,
  /** Without a whole command for so long: 421 (RFC 5321 §4.5.3.2). */
  commandSeconds: 300,
  /** From DATA to its end. */
  dataSeconds: 900,
  /** Bytes of unfinished messages that all connections together may hold in memory; above, 452. */
  inFlightBytes: 536_870_912,
  /** How long a reverse look-up may hold a client's first command back. The greeting never waits. */
  reverseMs: 1000,
} as const
