/** How somebody proves who they are. */
export type AccessMethod = 'passphrase' | 'publickey'

/** Logins of administrators over the network. `from` is an address. */
export type AccessEvent =
  | {
      readonly type: 'access.accepted'
      readonly user: string
      readonly from: string
      readonly method: AccessMethod
      readonly role: string
    }
  | {
      readonly type: 'access.refused'
      readonly user: string
      readonly from: string
      readonly method: AccessMethod
    }
  /** Passphrases from this address are not looked at for a while. */
  | {
      readonly type: 'access.address-locked'
      readonly from: string
      readonly failures: number
      readonly seconds: number
    }
  /** Passphrases for this name are not looked at for a while. */
  | { readonly type: 'access.user-locked'; readonly user: string; readonly failures: number; readonly seconds: number }
  | { readonly type: 'access.logged-out'; readonly user: string; readonly from: string }
  | { readonly type: 'access.timed-out'; readonly user: string; readonly from: string }
