import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandPages } from './command-pages.ts'
import { root } from './root.ts'

/* `npm run docs`: writes docs/commands anew. */

const folder = join(root, 'docs/commands')
const pages = await commandPages()
for (const [name, text] of pages) writeFileSync(join(folder, name), text)
for (const name of readdirSync(folder)) if (name.endsWith('.md') && !pages.has(name)) rmSync(join(folder, name))
