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
      readonly why: 'does not exist' | 'could not be resolved'
    }
  | { readonly type: 'connection.tls'; readonly icid: number; readonly protocol: string; readonly cipher: string }
  | { readonly type: 'connection.tls-failed'; readonly icid: number; readonly error: string }
  | { readonly type: 'connection.unknown-command'; readonly icid: number; readonly command: string }
  | { readonly type: 'connection.receiving-failed'; readonly icid: number; readonly reason: string }
  | { readonly type: 'connection.closed'; readonly icid: number; readonly how: 'close' | 'lost' | 'timeout' }
