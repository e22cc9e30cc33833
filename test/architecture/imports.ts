import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'

export const root = new URL('../..', import.meta.url).pathname

/** One import of one file, as the rules look at it. */
export interface Import {
  /** Importing file, relative to the root. */
  readonly from: string
  /** A file relative to the root, a package's name, or `node:fs`. */
  readonly to: string
  readonly line: number
  /** `import()`: happens when the code reaches it, not at start-up. */
  readonly dynamic: boolean
  /** `import type`: erased at run time. */
  readonly typeOnly: boolean
}

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const target = (from: string, specifier: string): string => {
  if (specifier.startsWith('.')) return join(dirname(from), specifier)
  return specifier.startsWith('node:') ? specifier : packageName(specifier)
}

/** Every import of a source text, static and dynamic. */
export const importsOf = (from: string, text: string): readonly Import[] => {
  const source = ts.createSourceFile(from, text, ts.ScriptTarget.ES2022, true)
  const found: Import[] = []
  const add = (node: ts.Node, specifier: ts.Node | undefined, dynamic: boolean, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
    found.push({ from, to: target(from, specifier.text), line, dynamic, typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, false, erased(node))
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, false, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node, node.argument.literal, true, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0], true, false)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const erased = (node: ts.ImportDeclaration): boolean => {
  const clause = node.importClause
  if (!clause) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const names = clause.namedBindings
  return (
    clause.name === undefined &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.length > 0 &&
    names.elements.every((e) => e.isTypeOnly)
  )
}

export const filesUnder = (folder: string, extension: string): readonly string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((e) => e.isFile() && e.name.endsWith(extension))
        .map((e) => relative(root, join(e.parentPath, e.name)))
        .sort()
    : []

export const sourceImports = (): readonly Import[] =>
  filesUnder('src', '.ts').flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')))
