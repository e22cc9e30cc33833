/** SPF, DKIM and DMARC results of a message. */
export type SpfResult = 'None' | 'Pass' | 'Neutral' | 'SoftFail' | 'Fail' | 'TempError' | 'PermError'

export type AuthenticationEvent =
  | {
      readonly type: 'auth.spf'
      readonly mid: number
      readonly identity: 'helo' | 'mailfrom'
      /** `postmaster@helo.example` for the helo identity. */
      readonly address: string
      readonly result: SpfResult
      readonly recordFound: boolean
      readonly fromCache: boolean
    }
  | {
      readonly type: 'auth.spf-cache'
      readonly hits: number
      readonly misses: number
      readonly expires: number
      readonly adds: number
      readonly secondsSaved: number
      readonly totalSeconds: number
    }
  | {
      readonly type: 'auth.dkim'
      readonly mid: number
      readonly result: 'pass' | 'permfail' | 'temperror' | 'malformed' | 'none'
      readonly detail: string
      readonly domain: string | null
      readonly selector: string | null
      readonly identity: string | null
    }
  | { readonly type: 'auth.dmarc'; readonly mid: number; readonly outcome: 'skipped'; readonly reason: string }
  | {
      readonly type: 'auth.dmarc'
      readonly mid: number
      readonly outcome: 'passed' | 'failed'
      readonly domain: string
      readonly spfAligned: boolean
      readonly dkimAligned: boolean
    }
