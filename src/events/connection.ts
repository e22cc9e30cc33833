/** What happens on incoming SMTP connections. `icid` is the injection connection's id. */
export type ConnectionEvent =
  | {
      readonly type: 'connection.opened'
      readonly icid: number
      readonly listener: string
      readonly interfaceName: string
      readonly interfaceAddress: string
      readonly remoteAddress: string
      /** null = unknown */
      readonly reverseHost: string | null
      /** The name resolves back to the address. */
      readonly reverseVerified: boolean
    }
  | {
      readonly type: 'connection.policy'
      readonly icid: number
      readonly behaviour: 'ACCEPT' | 'REJECT' | 'RELAY' | 'TCPREFUSE'
      /** null = no sender group matched */
      readonly senderGroup: string | null
      /** The entry that matched: an address, a block, `ALL`. */
      readonly match: string
      /** `2.5`, `None`, `rfc1918`, `unable to retrieve`; absent = reputation is not asked for. */
      readonly reputation?: string
      /** Its English name, `unknown`, `not enabled`; absent = not enabled. */
      readonly country?: string
    }
  /** A refused client is let talk, so that its recipients are told. */
  | { readonly type: 'connection.reject-delayed'; readonly icid: number; readonly remoteAddress: string }
  | { readonly type: 'connection.tls-missing'; readonly icid: number }
  | {
      readonly type: 'connection.auth'
      readonly icid: number
      readonly user: string
      readonly mechanism: string
      readonly ok: boolean
    }
  | { readonly type: 'connection.auth-missing'; readonly icid: number }
  | {
      readonly type: 'connection.sender-refused'
      readonly icid: number
      readonly sender: string
      readonly why: 'does not exist' | 'has a null MX' | 'could not be resolved'
    }
  /** The table of exceptions let a sender in, whatever DNS says (or refused it). */
  | {
      readonly type: 'connection.sender-exception'
      readonly icid: number
      readonly sender: string
      readonly allowed: boolean
    }
  /** Bytes came before the greeting. */
  | {
      readonly type: 'connection.early-talker'
      readonly icid: number
      readonly bytes: number
      readonly rejected: boolean
    }
  /** More recipients that are none than an address may name. */
  | {
      readonly type: 'connection.harvest'
      readonly icid: number
      readonly listener: string
      readonly interfaceAddress: string
      readonly remoteAddress: string
      readonly reverseHost: string | null
      readonly senderGroup: string | null
      readonly sender: string
      /** Accepted before, in this message. */
      readonly recipients: number
      readonly dropped: boolean
    }
  | { readonly type: 'connection.expired'; readonly icid: number; readonly remoteAddress: string }
  /** `clientName`: common name of the client's certificate, when an authority that we trust signed it. */
  | {
      readonly type: 'connection.tls'
      readonly icid: number
      readonly protocol: string
      readonly cipher: string
      readonly clientName?: string
    }
  | { readonly type: 'connection.tls-failed'; readonly icid: number; readonly error: string }
  | { readonly type: 'connection.unknown-command'; readonly icid: number; readonly command: string }
  | { readonly type: 'connection.receiving-failed'; readonly icid: number; readonly reason: string }
  | { readonly type: 'connection.closed'; readonly icid: number; readonly how: 'close' | 'lost' | 'timeout' }
