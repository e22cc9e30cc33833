export type StsMode = 'enforce' | 'testing' | 'none'

/** An MTA-STS policy as it was last fetched. */
export interface StoredStsPolicy {
  readonly domain: string
  /** Of the TXT record that led to it. */
  readonly id: string
  readonly mode: StsMode
  readonly mx: readonly string[]
  readonly fetchedAt: Date
  readonly expiresAt: Date
}

/** Policies outlive a restart: without them somebody who withholds DNS from us could take a domain's protection away. */
export interface StsPolicyStore {
  /** At most `limit`, those fetched last. */
  load(limit: number): readonly StoredStsPolicy[]
  put(policy: StoredStsPolicy): Promise<void>
  remove(domains: readonly string[]): Promise<void>
}
