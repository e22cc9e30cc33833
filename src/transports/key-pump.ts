import { createKeyDecoder, CTRL_C } from './key-decoder.ts'

/** Who takes the keys now: a line prompt, the pager. A promise holds further keys back until it settles. */
export interface KeyHandler {
  key(sequence: string): void | Promise<void>
  /** The input has ended and every key before the end was taken. */
  end(): void
}

/**
 * One per session, from its first byte to its last. Keys that come while nobody asks are kept for the next prompt
 * (type-ahead); Ctrl-C that comes while nobody asks interrupts what runs and forgets the type-ahead.
 */
export interface KeyPump {
  /** False: enough is waiting; do not read on before `drained` is called. */
  feed(this: void, bytes: Uint8Array): boolean
  end(this: void): void
  interrupt(this: void): void
  attach(handler: KeyHandler): () => void
  /** Bytes go to `onData` unread until the returned function is called. */
  takeRaw(onData: (bytes: Uint8Array) => void): () => void
  /** Called at Ctrl-C while no handler is attached, and at the end of the input. Returns the function that unsubscribes. */
  onInterrupt(handler: () => void): () => void
  /** Whether Ctrl-C came while nothing listened for it; asking forgets it. */
  takePendingInterrupt(): boolean
}

/** Type-ahead beyond this is left in the sender's hands. */
const MAX_WAITING = 65_536

export const createKeyPump = (drained: () => void): KeyPump => {
  const decoder = createKeyDecoder()
  const interrupted = new Set<() => void>()
  let queue: string[] = []
  let waiting = 0
  let handler: KeyHandler | null = null
  let raw: ((bytes: Uint8Array) => void) | null = null
  let ended = false
  let busy = false
  let pending = false
  let full = false

  const drain = (): void => {
    while (handler !== null && !busy && queue.length > 0) {
      const key = queue.shift() ?? ''
      waiting -= key.length
      const held = handler.key(key)
      if (held !== undefined) {
        busy = true
        const resume = (): void => {
          busy = false
          drain()
        }
        held.then(resume, resume)
      }
    }
    if (full && waiting < MAX_WAITING / 2) {
      full = false
      drained()
    }
    if (handler !== null && !busy && ended && queue.length === 0) {
      const last = handler
      handler = null
      last.end()
    }
  }

  const interrupt = (): void => {
    queue = []
    waiting = 0
    if (handler !== null) {
      queue.push(CTRL_C)
      waiting = 1
    } else if (interrupted.size === 0) pending = true
    else for (const told of [...interrupted]) told()
    drain()
  }

  return {
    feed: (bytes) => {
      if (raw !== null) {
        raw(bytes)
        return true
      }
      for (const key of decoder.feed(bytes)) {
        if (key === CTRL_C) interrupt()
        else {
          queue.push(key)
          waiting += key.length
        }
      }
      drain()
      full = waiting >= MAX_WAITING
      return !full
    },
    end: () => {
      decoder.end()
      ended = true
      for (const told of [...interrupted]) told()
      drain()
    },
    interrupt,
    attach: (next) => {
      handler = next
      if (pending) {
        pending = false
        queue.unshift(CTRL_C)
        waiting++
      }
      // After the caller has returned: it may still be writing its prompt.
      queueMicrotask(drain)
      return () => {
        if (handler === next) handler = null
      }
    },
    takeRaw: (onData) => {
      raw = onData
      const typedAhead = Buffer.from(queue.join(''))
      queue = []
      waiting = 0
      if (typedAhead.length > 0) onData(typedAhead)
      // Nothing waits any more: whoever was told to stop reading goes on.
      drain()
      return () => {
        raw = null
      }
    },
    onInterrupt: (told) => {
      interrupted.add(told)
      if (ended) queueMicrotask(() => interrupted.has(told) && told())
      return () => interrupted.delete(told)
    },
    takePendingInterrupt: () => {
      const was = pending
      pending = false
      return was
    },
  }
}
