/** Mailbox remediation, per message and recipient. */
export type RemedyName = 'Delete' | 'Forward' | 'Forward and Delete'
export type RemediationStatus = 'Remediated' | 'Failed' | 'Skipped'

export type RemediationEvent =
  | { readonly type: 'remediation.deleted'; readonly mid: number; readonly recipient: string }
  | { readonly type: 'remediation.forwarded'; readonly mid: number; readonly recipient: string; readonly to: string }
  | {
      readonly type: 'remediation.succeeded'
      readonly mid: number
      readonly recipient: string
      readonly profile: string
    }
  | {
      readonly type: 'remediation.skipped'
      readonly mid: number
      readonly recipient: string
      readonly profile: string | null
      readonly reason: string
    }
  | {
      readonly type: 'remediation.failed'
      readonly mid: number
      readonly recipient: string
      readonly profile: string
      readonly error: string
      readonly willRetry: boolean
    }
  /** The line of mail_logs and tracking. */
  | {
      readonly type: 'remediation.result'
      readonly mid: number
      readonly recipient: string
      readonly action: RemedyName
      readonly profile: string
      readonly status: RemediationStatus
    }
  | {
      readonly type: 'remediation.held'
      readonly batch: number
      readonly messages: number
      readonly mailboxes: number
      readonly reason: string
    }
  | { readonly type: 'remediation.approved'; readonly batch: number; readonly user: string }
  | { readonly type: 'remediation.denied'; readonly batch: number; readonly user: string }
  /** A verdict went back to clean: deleted copies that can be put back, forwarded ones that cannot, copies not acted on yet. */
  | {
      readonly type: 'remediation.withdrawn'
      readonly url: string
      readonly back: number
      readonly forwarded: number
      readonly stopped: number
    }
  | { readonly type: 'remediation.undone'; readonly mid: number; readonly recipient: string; readonly user: string }
