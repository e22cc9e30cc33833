import type { LocalTime } from '../../core/localtime.ts'
import type { UrlReputation } from '../../intel/lookup.ts'
import type { ShortLinks } from '../../intel/url/shorteners.ts'
import type { SenderReputation } from '../../intel/sdr/port.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import { authenticationStage } from '../stages/authentication.ts'
import { contentFiltersStage } from '../stages/content-filters.ts'
import { identifyStage } from '../stages/identify.ts'
import { mailPolicyStage } from '../stages/mail-policy.ts'
import { messageFiltersStage } from '../stages/message-filters.ts'
import { readyStage } from '../stages/ready.ts'
import { sdrStage } from '../stages/sdr.ts'
import { expandLinksStage } from '../stages/expand-links.ts'
import { urlScanStage } from '../stages/url-scan.ts'
import type { UrlWatch } from '../stages/url-scan.ts'
import type { Scanner } from './scanner.ts'
import type { Stage } from './stage.ts'

export interface StageDeps {
  readonly authenticator: Authenticator
  readonly sdr: SenderReputation
  readonly urlReputation: UrlReputation
  readonly shortLinks: ShortLinks
  readonly watch: UrlWatch
  readonly scanner: Scanner
  readonly time: LocalTime
}

/** The mail path, top to bottom, from stable storage to the delivery queue or a quarantine. */
export const workQueue = (deps: StageDeps): readonly Stage[] => [
  authenticationStage(deps.authenticator),
  identifyStage,
  sdrStage(deps.sdr),
  readyStage,
  expandLinksStage(deps.shortLinks),
  messageFiltersStage(deps),
  mailPolicyStage,
  urlScanStage(deps.urlReputation, deps.watch),
  contentFiltersStage(deps),
]

/** Where a message goes on that was held at the end of the list. */
export const AFTER_ALL_STAGES = 'delivery'
