import { createRequire } from 'node:module'
import type Library from 'better-sqlite3'

const require = createRequire(import.meta.url)
const MAJOR = Number(process.versions.node.split('.')[0])

/**
 * better-sqlite3 in the version that this Node can run. 13 speaks Node-API, needs Node 22, and is an optional dependency that
 * older ones leave out (Node 20 dies of it). 12 is built on node::ObjectWrap, which since Node 24.19 ends the process when a
 * garbage collection takes a statement.
 */
const load = (): unknown => {
  if (MAJOR < 22) return require('better-sqlite3')
  try {
    return require('better-sqlite3-13')
  } catch (error) {
    const text = `The database for Node ${MAJOR} is not installed: run "npm install" again with this version of Node.`
    throw new Error(text, { cause: error })
  }
}
const Database = load() as typeof Library

export type Connection = Library.Database
export type Prepared = Library.Statement

export default Database
