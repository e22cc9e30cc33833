import type { CommandEntry } from './command.ts'

/**
 * Every command, sorted by name: name, summary and roles stand here so that `help` and completion load nothing.
 * A test compares them with the loaded command.
 */
export const REGISTRY: readonly CommandEntry[] = []
