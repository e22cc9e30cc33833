import type { SpoolEntry } from '../store/spool.ts'

export interface QuarantinedMessage {
  readonly entry: SpoolEntry
  readonly quarantine: string
  readonly reason: string
  readonly since: Date
  readonly until: Date
}

/** A message in quarantine is held, not lost: release goes on where it left the path. */
export interface QuarantineService {
  list(quarantine?: string): readonly QuarantinedMessage[]
  find(mid: number): QuarantinedMessage | undefined
  body(mid: number): Promise<Buffer>
  /** @throws UserError when `mid` is not in quarantine. */
  release(mid: number, how: 'manual' | 'expired'): Promise<void>
  delete(mid: number, how: 'manual' | 'expired'): Promise<void>
}
