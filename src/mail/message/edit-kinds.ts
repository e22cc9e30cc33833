import type { BodyEdit, Edit, HeaderEdit } from '../pipeline/stage.ts'

export const isHeaderEdit = (edit: Edit): edit is HeaderEdit => edit.kind.startsWith('header.')

/** Edits that change what a reader reads: they make a new message of it (`rewritten to MID`). */
export const bodyEdits = (edits: readonly Edit[]): readonly BodyEdit[] =>
  edits.filter((e): e is BodyEdit => !isHeaderEdit(e))
