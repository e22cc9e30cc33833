/** RFC 3461 §4: printable ASCII but `+` and `=`, which stand as `+2B` and `+3D`. */
const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/

export const isXtext = (text: string): boolean => XTEXT.test(text)

export const fromXtext = (text: string): string =>
  text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

export const toXtext = (text: string): string =>
  text.replace(/[^!-*,-<>-~]/g, (c) => `+${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
