import { freshHome, removeHome, serve } from './appliance.ts'
import type { Serving } from './appliance.ts'
import { openSsh } from './openssh.ts'
import type { OpenSsh } from './openssh.ts'
import { freePort } from './ports.ts'

/** A running appliance with its SSH server on a port of loopback, and a client for it. */
export interface SshGateway {
  readonly home: string
  /** Keys and known hosts of the client. */
  readonly folder: string
  readonly port: number
  readonly client: OpenSsh
  /** Replaced by a test that starts the appliance anew. */
  gateway: Serving
  close(): Promise<void>
}

export const openSshGateway = async (): Promise<SshGateway> => {
  const home = freshHome()
  const folder = freshHome()
  const port = await freePort()
  const opened: SshGateway = {
    home,
    folder,
    port,
    client: openSsh(folder, port),
    gateway: await serve(home, { args: ['--hostname', 'mail.example.com', '--ssh', `127.0.0.1:${port}`] }),
    close: async () => {
      await opened.gateway.stop()
      removeHome(home)
      removeHome(folder)
    },
  }
  return opened
}
