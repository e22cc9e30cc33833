import * as v from 'valibot'
import { defineSection, secretText } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const user = v.object({
  name: v.pipe(v.string(), v.regex(/^[^\s\u0000-\u001f\u007f"]{1,128}$/)),
  /** argon2id hash. */
  passphrase: secretText(),
})

/** `smtpauthconfig`: who may submit mail after SMTP AUTH. */
export const smtpAuth = defineSection<{ users: v.InferOutput<typeof user>[] }>({
  name: 'smtp_auth',
  version: 1,
  schema: v.object({ users: v.array(user) }),
  defaults: { users: [] },
  verify: ({ users }) => uniqueNames('smtp_auth.users', users),
})
