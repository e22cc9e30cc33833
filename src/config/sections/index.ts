import type { ConfigSection } from '../section.ts'
import { addressLists } from './address-lists.ts'
import { adminAccess } from './admin-access.ts'
import { alerts } from './alerts.ts'
import { aliases } from './aliases.ts'
import { alternateSources } from './alternate-sources.ts'
import { bounceProfiles } from './bounce-profiles.ts'
import { bounceVerification } from './bounce-verification.ts'
import { callAhead } from './call-ahead.ts'
import { certificates } from './certificates.ts'
import { delivery } from './delivery.ts'
import { destinations } from './destinations.ts'
import { dkimSigning } from './dkim-signing.ts'
import { dns } from './dns.ts'
import { imapMailboxes } from './imap-mailboxes.ts'
import { incomingRelays } from './incoming-relays.ts'
import { geolocation } from './geolocation.ts'
import { interfaces } from './interfaces.ts'
import { intelligence } from './intelligence.ts'
import { listeners } from './listeners.ts'
import { logSubscriptions } from './log-subscriptions.ts'
import { mailPolicies } from './mail-policies.ts'
import { messageFilters } from './message-filters.ts'
import { quarantines } from './quarantines.ts'
import { receiving } from './receiving.ts'
import { redirect } from './redirect.ts'
import { remediation } from './remediation.ts'
import { routeLogins } from './route-logins.ts'
import { sdr } from './sdr.ts'
import { senderExceptions } from './sender-exceptions.ts'
import { smtpAuth } from './smtp-auth.ts'
import { smtpRoutes } from './smtp-routes.ts'
import { ssh } from './ssh.ts'
import { system } from './system.ts'
import { urlFiltering } from './url-filtering.ts'
import { urlLists } from './url-lists.ts'
import { urlRetrospection } from './url-retrospection.ts'
import { users } from './users.ts'

/** Every section, in the order of the XML file. */
export const SECTIONS: readonly ConfigSection<never>[] = [
  system,
  users,
  adminAccess,
  ssh,
  interfaces,
  listeners,
  geolocation,
  receiving,
  incomingRelays,
  certificates,
  senderExceptions,
  callAhead,
  smtpAuth,
  smtpRoutes,
  routeLogins,
  alternateSources,
  delivery,
  bounceProfiles,
  bounceVerification,
  destinations,
  aliases,
  dkimSigning,
  dns,
  addressLists,
  urlLists,
  messageFilters,
  mailPolicies,
  quarantines,
  sdr,
  urlFiltering,
  redirect,
  urlRetrospection,
  remediation,
  imapMailboxes,
  intelligence,
  logSubscriptions,
  alerts,
] as unknown as readonly ConfigSection<never>[]
