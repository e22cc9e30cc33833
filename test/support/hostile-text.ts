/** What terminals obey, and what hides or reorders text on them: each piece with a mark, so that a test sees that it came. */
const PIECES = [
  '\u001b[2J\u001b[31m\u001b[8m',
  '\u001b]0;title\u0007',
  '\u001b]8;;http://evil.example\u001b\\',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001bP+q\u001b\\',
  '\u009b2J\u009d0;x\u009c\u0085\u0090',
  '\u2028\u2029',
  '\u202e\u202a\u2066\u2069\u200e\u200f\u061c',
  '\u200b\u2060\ufeff\u180e',
  '\u0007\u0008\u000b\u000c\u007f\u0000',
  '\r\nTue Mar 29 20:20:10 2022 Info: MID 9 forged',
  '\rforged',
  '\tx',
]
export const HOSTILE = `evil${PIECES.join('.')}end`

/** No terminal and no log may get one of them. */
const FORBIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u180e]/

/** The lines that would do harm, made visible. `forged`: also those that a line feed in the text made. */
export const harmful = (text: string, forged = true): readonly string[] =>
  text
    .split('\n')
    .filter((line) => FORBIDDEN.test(line) || (forged && /^Tue Mar 29 20:20:10 2022 Info: MID 9 forged/.test(line)))
    .map((line) => JSON.stringify(line))
