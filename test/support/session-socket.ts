import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Terminal } from '../../src/shell/terminal.ts'
import { FRAME, PROTOCOL_VERSION, dataFrames, frame, frameReader } from '../../src/transports/protocol.ts'
import { serveSocket } from '../../src/transports/socket-server.ts'

/** What a terminal at the control socket shows when the lines are typed at once; carriage returns and the last prompt left out. */
export const overSocket = async (
  gateway: { run(terminal: Terminal): Promise<number> },
  typed: readonly string[],
): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'lg-'))
  let asked = 0
  let over = false
  let typedAll: () => void = () => undefined
  const server = await serveSocket({
    path: join(folder, 's'),
    // Somebody types: answers that are refused are asked again, as in the recording; no banner and no pages.
    session: (terminal) =>
      gateway.run({
        ...terminal,
        columns: 1000,
        rows: 0,
        interactive: false,
        readLine: (prompt, options) => {
          // A terminal that goes away ends what runs: it goes when the last line has been answered.
          if (++asked > typed.length) {
            over = true
            typedAll()
          }
          return terminal.readLine(prompt, options)
        },
      }),
    history: () => ({ entries: () => [], add: () => undefined }),
    fault: (error) => {
      throw error
    },
  })
  try {
    return await new Promise<string>((resolve, reject) => {
      let output = ''
      const socket = connect(join(folder, 's'))
      const read = frameReader((type, payload) => {
        if (type === FRAME.data) output += payload.toString('utf8')
      })
      socket.on('data', read)
      socket.once('error', reject)
      socket.once('close', () => resolve(over ? withoutEnd(output) : output))
      const hello = {
        version: PROTOCOL_VERSION,
        pid: 1,
        tty: true,
        columns: 1000,
        rows: 0,
        colour: false,
        echo: true,
        keepGoing: false,
      }
      socket.write(frame(FRAME.hello, JSON.stringify(hello)))
      for (const part of dataFrames(typed.map((line) => `${line}\r`).join(''))) socket.write(part)
      typedAll = () => void socket.write(frame(FRAME.end))
    })
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The prompt at which the input ended, and the question about changes that it may have brought. */
export const withoutEnd = (output: string): string =>
  output
    .replace(/^Configuration changes entered but not committed\.[^]*$/m, '')
    .trimEnd()
    .replace(/(?:\n+[^\s[\]<]+>)+$/, '')
