/** The life of a message from MAIL FROM to its end. `mid` is the message's id. */
export type MessageEvent =
  /** icid 0: generated here (split, rewritten, notification). */
  | { readonly type: 'message.started'; readonly mid: number; readonly icid: number }
  | { readonly type: 'message.sender'; readonly mid: number; readonly icid: number; readonly sender: string }
  | {
      readonly type: 'message.recipient'
      readonly mid: number
      readonly icid: number
      readonly rid: number
      readonly recipient: string
    }
  /** An incoming relay handed the message in: whose client counts. `address` null = the header or an address in it is missing. */
  | {
      readonly type: 'message.incoming-relay'
      readonly mid: number
      readonly relay: string
      readonly header: string
      readonly found: 'address' | 'header' | 'nothing'
      readonly address: string | null
      /** As on the connection's line. */
      readonly reputation: string
      readonly country?: string
    }
  | {
      readonly type: 'message.recipient-rejected'
      readonly mid: number
      readonly icid: number
      readonly recipient: string
      readonly by: string
    }
  /** `messageId` with its angle brackets, as in the header; null = the message has none. */
  | { readonly type: 'message.id'; readonly mid: number; readonly messageId: string | null }
  /** Raw header text, folded lines and encoded words left as they are. */
  | { readonly type: 'message.subject'; readonly mid: number; readonly subject: string }
  | { readonly type: 'message.ready'; readonly mid: number; readonly bytes: number; readonly sender: string }
  | { readonly type: 'message.aborted'; readonly mid: number; readonly reason: string }
  | { readonly type: 'message.unscannable'; readonly mid: number; readonly reason: string }
  /** Decided without some of its URLs: `reason` is a whole sentence. */
  | { readonly type: 'url.expanded'; readonly mid: number; readonly url: string; readonly target: string }
  | { readonly type: 'message.partly-scanned'; readonly mid: number; readonly reason: string }
  | { readonly type: 'policy.matched'; readonly mid: number; readonly policy: string; readonly table: PolicyTableName }
  | {
      readonly type: 'policy.split'
      readonly mid: number
      readonly into: number
      readonly policy: string
      readonly table: PolicyTableName
    }
  | { readonly type: 'filter.log-entry'; readonly mid: number; readonly text: string }
  | {
      readonly type: 'url.matched'
      readonly mid: number
      readonly url: string
      readonly score: number | null
      readonly what: 'Condition' | 'Action'
      readonly detail: string
    }
  /** Somebody followed a link of the redirect service. */
  | {
      readonly type: 'url.clicked'
      readonly mid: number
      readonly url: string
      readonly score: number | null
      readonly remoteAddress: string
      readonly outcome: 'redirected' | 'blocked' | 'asked'
    }
  | {
      readonly type: 'message.rewritten'
      readonly mid: number
      readonly into: number
      readonly action: string
      readonly filter: string
    }
  | {
      readonly type: 'message.generated'
      readonly mid: number
      readonly from: number
      readonly how: string
      readonly filter: string
    }
  | { readonly type: 'message.dropped'; readonly mid: number; readonly by: FilterRef }
  | { readonly type: 'message.quarantined'; readonly mid: number; readonly quarantine: string; readonly by: FilterRef }
  | {
      readonly type: 'quarantine.released'
      readonly mid: number
      readonly quarantine: string
      readonly how: 'manual' | 'expired'
    }
  | {
      readonly type: 'quarantine.deleted'
      readonly mid: number
      readonly quarantine: string
      readonly how: 'manual' | 'expired'
    }
  | { readonly type: 'message.queued'; readonly mid: number }
  | { readonly type: 'message.finished'; readonly mid: number }

export type PolicyTableName = 'inbound' | 'outbound'

export type FilterRef =
  | { readonly kind: 'message filter'; readonly name: string }
  | { readonly kind: 'content filter'; readonly name: string; readonly table: PolicyTableName }
