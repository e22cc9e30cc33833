import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { EVERYONE, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'

const MEGABYTE = 1024 * 1024

/** What a container or service manager lets the process have; 0 or beyond the machine's = no limit. */
const allocatedMemory = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : totalmem()
}

const run = async ({ appliance, print }: Session): Promise<void> => {
  const { installedAt, time } = appliance
  const installed = new Date(installedAt.getTime() + time.offsetSeconds(installedAt) * 1000)
  print(
    'Current Version',
    '===============',
    'Product: Lychgate Email Security Gateway',
    'Model: Lychgate',
    `Version: ${appliance.version}`,
    `Build Date: ${appliance.buildDate}`,
    `Install Date: ${installed.toISOString().slice(0, 19).replace('T', ' ')}`,
    `Serial #: ${appliance.serial}`,
    `CPUs: ${cpus().length} expected, ${availableParallelism()} allocated`,
    `Memory: ${Math.floor(totalmem() / MEGABYTE)} MB expected, ${Math.floor(allocatedMemory() / MEGABYTE)} MB allocated`,
    `Operating System: ${type()} ${release()}`,
    `Node.js: ${process.version}`,
  )
}

export default defineCommand({
  name: 'version',
  summary: 'Show the version of the appliance',
  description: 'Shows product, version, serial number and the machine that the appliance runs on.',
  category: 'monitor',
  roles: EVERYONE,
  needsCommit: false,
  run,
})
