import { lstatSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const why =
  process.getuid?.() !== 0 ? 'not root' : !/^nobody:/m.test(readFileSync('/etc/passwd', 'utf8')) ? 'no nobody' : null

const free = async (port: number): Promise<boolean> =>
  await new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
const privilegedPort = async (): Promise<number> => {
  for (let port = 700; port < 1024; port++) if (await free(port)) return port
  throw new Error('no free port below 1024')
}
const ids = (pid: number): readonly string[] => {
  const status = (path: string): string => /^Uid:\t(.*)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? ''
  return readdirSync(`/proc/${pid}/task`).map((task) => status(`/proc/${pid}/task/${task}/status`))
}
/** A file that goes between the listing and the look (a message leaves the Maildir's tmp/) has no owner to tell. */
const owners = (dir: string): readonly number[] => {
  const uids = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map(
    (name) => lstatSync(join(dir, name), { throwIfNoEntry: false })?.uid,
  )
  return [...new Set(uids.filter((uid) => uid !== undefined))]
}

describe.skipIf(why !== null)(
  `an appliance that root starts for a user${why === null ? '' : ` (skipped: ${why})`}`,
  () => {
    it('binds a port below 1024, works as that user in all its threads, and owns its home', async () => {
      const home = freshHome()
      const port = await privilegedPort()
      const gateway = await serve(home, { port, env: { LYCHGATE_USER: 'nobody' } })
      try {
        const { uid } = statSync(home)
        expect(uid).not.toBe(0)
        expect(new Set(ids(gateway.pid))).toEqual(new Set([`${uid}\t${uid}\t${uid}\t${uid}`]))
        const client = await SmtpClient.open(port)
        const answer = await client.send({ from: '', to: ['ann@example.com'] }, Buffer.from('Subject: x\r\n\r\nx\r\n'))
        expect(answer.code).toBe(250)
        client.close()
        expect((await shell(home, ['-c', 'status'])).stdout).toContain('Online')
        const moved = await shell(home, ['-c', 'listenerconfig new Second public 127.0.0.1 1023; commit "x" N'])
        expect(moved.code).toBe(1)
        expect(moved.stdout + moved.stderr).toContain('restart Lychgate as root, or choose a port from 1024 on')
        expect(owners(home)).toEqual([uid])
      } finally {
        await gateway.stop()
      }
      // Its own user goes on where it stopped.
      const again = await serve(home, { port, env: { LYCHGATE_USER: 'nobody' } })
      try {
        expect((await shell(home, ['-c', 'status'])).stdout).toContain('Online')
      } finally {
        await again.stop()
        removeHome(home)
      }
    })

    it('refuses a user that does not exist, or is root', async () => {
      const home = freshHome()
      await expect(serve(home, { env: { LYCHGATE_USER: 'no-such-user' } })).rejects.toThrow(
        "There is no user 'no-such-user'",
      )
      await expect(serve(home, { env: { LYCHGATE_USER: 'root' } })).rejects.toThrow('is root')
      removeHome(home)
    })
  },
)
