import { addressLists } from '../../config/sections/address-lists.ts'
import { listeners } from '../../config/sections/listeners.ts'
import { quarantines } from '../../config/sections/quarantines.ts'
import { urlLists } from '../../config/sections/url-lists.ts'
import type { ConfigReader } from '../../config/section.ts'
import { urlListMatcher } from '../../intel/url/lists.ts'
import { domainListMatcher } from '../../intel/domain-list.ts'

/** What a filter may name. A name that is not here makes the filter invalid. */
export interface Resources {
  hasQuarantine(name: string): boolean
  hasListener(name: string): boolean
  /** undefined when there is no such list of domains. */
  domainList(name: string): ((domain: string) => boolean) | undefined
  urlList(name: string): ((url: string) => boolean) | undefined
}

/** The sections whose change may change what a filter means. */
export const resourceSections = [quarantines, listeners, addressLists, urlLists] as const

export const resourcesOf = (config: ConfigReader): Resources => ({
  hasQuarantine: (name) => config.get(quarantines).some((q) => q.name === name),
  hasListener: (name) => config.get(listeners).some((l) => l.name === name),
  domainList: (name) => {
    const list = config.get(addressLists).find((l) => l.name === name)
    return list?.type === 'domains' || list?.type === 'all' ? domainListMatcher(list.entries) : undefined
  },
  urlList: (name) => {
    const list = config.get(urlLists).find((l) => l.name === name)
    return list && urlListMatcher(list.urls)
  },
})
