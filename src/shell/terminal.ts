/** The only thing a transport implements: a terminal, a control socket, SSH, a batch script, a test script. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  /** Colour may be used (a terminal that has it, no NO_COLOR, no --no-color). */
  readonly colour: boolean
  /** Somebody types: prompts are edited, history and completion work. False in batch. */
  readonly interactive: boolean
  write(text: string): void
  /**
   * Writes the prompt and reads a line. null = end of input.
   * @throws Interrupted on Ctrl-C
   */
  readLine(prompt: string, options?: ReadLineOptions): Promise<string | null>
  /** The next key while paging; null = end of input. Only on interactive terminals. */
  readKey(prompt: string): Promise<string | null>
  /** A new signal that aborts at the next Ctrl-C or when the terminal goes away; for `tail`, `telnet`, `rate`. */
  untilInterrupt(): { readonly signal: AbortSignal; readonly done: () => void }
  /** Raw bytes to and from the operator's own terminal, for `telnet`; ends when `done` is called. */
  raw?(onData: (bytes: Uint8Array) => void): { write(bytes: Uint8Array): void; done(): void }
  /** Where the operator comes from: `local` or an address. */
  readonly origin: string
  /** Present when the input is a script: a refused answer ends it instead of being asked again. */
  readonly batch?: BatchInput
  /** Resolves when the operator's side has taken what was written; long output waits for it. */
  drained?(): Promise<void>
  /** Colours a text for this terminal; absent = no colour. */
  paint?(style: PaintStyle, text: string): string
  /** One line beside the output (standard error of a batch): what was staged and not committed, where a script stopped. */
  notice?(line: string): void
  /** Absent where input that does not come is nobody's neglect (a script on this machine). */
  readonly presence?: Presence
}

/** How the shell sees that nobody is there any more. */
export interface Presence {
  /** Monotonic milliseconds of the last input. */
  lastInput(): number
  /** As if the operator's side had gone. */
  hangUp(): void
}

export type PaintStyle = 'bad' | 'warning' | 'good' | 'faint' | 'strong'

/** What the shell must know of a script. */
export interface BatchInput {
  /** Show top-level prompts and the blank lines around commands, as a terminal would; false for `-c`. */
  readonly prompts: boolean
  /** Go on with the next command after a failed one. */
  readonly keepGoing: boolean
  /** Where the script is now: `line 3`; null = in the argument of `-c`, which the operator has before his eyes. */
  position(): string | null
}

export interface ReadLineOptions {
  /** Not echoed, not in the history, masked in cli_logs. */
  readonly secret?: boolean
  readonly history?: 'commands'
  /** What the last word of `line` may become, each candidate as a whole word. */
  readonly complete?: (line: string) => readonly string[] | Promise<readonly string[]>
}
