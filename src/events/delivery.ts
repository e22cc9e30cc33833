/** Outgoing connections and what became of each recipient. `dcid` is the delivery connection's id. */
export type DeliveryEvent =
  | {
      readonly type: 'delivery.opened'
      readonly dcid: number
      readonly interfaceAddress: string
      readonly address: string
      readonly port: number
    }
  /** `verifiedFor`: the domain whose entry in destconfig asked for a certificate that is the host's; null = not looked at or not so. */
  | {
      readonly type: 'delivery.tls'
      readonly dcid: number
      readonly protocol: string
      readonly cipher: string
      readonly verifiedFor: string | null
    }
  | { readonly type: 'delivery.tls-failed'; readonly dcid: number; readonly error: string }
  /** What is asked of TLS with a host, where not destconfig alone says it. `records`: TLSA records that count. */
  | {
      readonly type: 'delivery.tls-basis'
      readonly dcid: number
      readonly domain: string
      readonly host: string
      readonly basis: 'dane' | 'dane-unusable' | 'mta-sts' | 'mta-sts-testing'
      readonly records: number
    }
  /** A host is not used, or, `testing`, would not be if the policy were enforced. */
  | {
      readonly type: 'delivery.host-left'
      readonly domain: string
      readonly host: string
      readonly reason: string
      readonly testing: boolean
    }
  | {
      readonly type: 'delivery.sts-policy'
      readonly domain: string
      readonly id: string
      readonly mode: 'enforce' | 'testing' | 'none'
      readonly mx: readonly string[]
      readonly expiresAt: Date
    }
  /** `until`: how long the policy that is known holds; null = none is. */
  | {
      readonly type: 'delivery.sts-failed'
      readonly domain: string
      readonly error: string
      readonly until: Date | null
    }
  /** A route's login: whether the host took it. */
  | {
      readonly type: 'delivery.authenticated'
      readonly dcid: number
      readonly address: string
      readonly user: string
      readonly ok: boolean
    }
  /** The host was left: its domain takes mail over TLS only. */
  | { readonly type: 'delivery.tls-required'; readonly dcid: number; readonly address: string }
  /** A message was signed (DKIM) as it left, or would have been. */
  | {
      readonly type: 'delivery.dkim'
      readonly mid: number
      readonly address: string
      /** null = none takes this address. */
      readonly profile: string | null
    }
  /** aliasconfig has replaced envelope recipients; these are all of them now. */
  | { readonly type: 'delivery.alias-expanded'; readonly mid: number; readonly recipients: readonly string[] }
  /** The sender asked to hear of success, and does: of delivery here, or of a next hop that tells nobody. */
  | { readonly type: 'delivery.success-notified'; readonly mid: number; readonly from: number }
  | { readonly type: 'delivery.delay-warned'; readonly mid: number; readonly from: number }
  /** `local` = into the embedded mailboxes, no connection. */
  | {
      readonly type: 'delivery.started'
      readonly dcid: number
      readonly mid: number
      readonly rids: readonly number[]
      readonly local: boolean
    }
  | {
      readonly type: 'delivery.done'
      readonly dcid: number
      readonly mid: number
      readonly rids: readonly number[]
      readonly local: boolean
    }
  | { readonly type: 'delivery.response'; readonly mid: number; readonly rid: number; readonly response: string }
  | {
      readonly type: 'delivery.bounced'
      readonly dcid: number
      readonly mid: number
      readonly rid: number
      readonly recipient: string
      /** RFC 3463: `5.1.1` */
      readonly status: string
      readonly reason: string
      readonly code: string
      readonly responses: readonly string[]
    }
  | {
      readonly type: 'delivery.delayed'
      readonly dcid: number
      readonly mid: number
      readonly rid: number
      readonly recipient: string
      readonly status: string
      readonly reason: string
      readonly code: string
      readonly responses: readonly string[]
      readonly until: Date
    }
  /** An operator took recipients out of the queue. */
  | {
      readonly type: 'delivery.deleted'
      readonly mid: number
      readonly rids: readonly number[]
      readonly by: string
    }
  /** An operator gave recipients another next hop. */
  | {
      readonly type: 'delivery.redirected'
      readonly mid: number
      readonly rids: readonly number[]
      readonly host: string
      readonly by: string
    }
  | {
      readonly type: 'delivery.double-bounced'
      readonly mid: number
      readonly rid: number
      readonly status: string
      readonly reason: string
    }
  /** A DSN `mid` was made for the failed message `from`. */
  | { readonly type: 'delivery.bounce-generated'; readonly mid: number; readonly from: number }
  | {
      readonly type: 'delivery.connection-error'
      readonly dcid: number
      readonly domain: string
      readonly address: string
      readonly port: number
      readonly details: string
    }
  | { readonly type: 'delivery.closed'; readonly dcid: number }
