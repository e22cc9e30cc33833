import { writeConfigurationFile } from '../config/files.ts'
import type { Session } from './command.ts'
import { refuseFiles } from './rights.ts'

/**
 * Writes a new file into `<home>/configuration/` and answers its path; the only way in which commands write files.
 * @throws UserError when the role may not, or a file of that name exists.
 */
export const writeExport = async (
  { appliance, user }: Session,
  name: string,
  content: Iterable<string> | Uint8Array,
): Promise<string> => {
  refuseFiles(user.role)
  return await writeConfigurationFile(appliance.home, name, content)
}
