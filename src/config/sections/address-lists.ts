import * as v from 'valibot'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const ADDRESS_LIST_TYPES = ['emails', 'domains', 'ips', 'all'] as const

export const addressList = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  description: v.string(),
  type: v.picklist(ADDRESS_LIST_TYPES),
  /** `user@example.com`, `user@`, `@example.com`, `@.example.com`, `@[1.2.3.4]`; for type `domains` also without `@`. */
  entries: v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(320))),
})
export type AddressList = v.InferOutput<typeof addressList>

/** `addresslistconfig`. */
export const addressLists = defineSection<AddressList[]>({
  name: 'address_lists',
  version: 1,
  schema: v.array(addressList),
  defaults: [],
  verify: (lists) => uniqueNames('address_lists', lists),
})
