const bold = process.stdout.isTTY && !process.env['NO_COLOR']

export const print = (text: string): void => void process.stdout.write(`${text}\n`)

export const heading = (text: string): void => print(bold ? `\n\u001b[1m== ${text}\u001b[0m` : `\n== ${text}`)

/** Lines that something else printed, indented, so that they stand apart from the demo's own words. */
export const quote = (text: string): void => {
  for (const line of text.trim().split('\n')) print(`    ${line.trimEnd()}`)
}
