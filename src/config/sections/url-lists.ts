import * as v from 'valibot'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const urlList = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  /** `example.com`, `example.com/*`, `*.example.com`, `10.2.4.5/24`, `[2001:DB8::1]`. */
  urls: v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(2048))),
})
export type UrlList = v.InferOutput<typeof urlList>

/** `urllistconfig`. */
export const urlLists = defineSection<UrlList[]>({
  name: 'url_lists',
  version: 1,
  schema: v.array(urlList),
  defaults: [],
  verify: (lists) => uniqueNames('url_lists', lists),
})
