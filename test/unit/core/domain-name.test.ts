import { expect, it } from 'vitest'
import { asciiDomain, asciiMailbox } from '../../../src/core/domain-name.ts'

it.each([
  ['Example.COM', 'Example.COM'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.example', 'xn--bcher-kva.example'],
  ['.bücher.example', '.xn--bcher-kva.example'],
  ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
  ['１２７.0.0.1', null],
  ['bü cher.example', null],
  ['ü/x.example', null],
  ['ü:25', null],
  ['ü／x.example', null],
])('%s is known as %s', (given, name) => expect(asciiDomain(given)).toBe(name))

it('leaves the local part as it is', () => {
  expect(asciiMailbox('jörg@bücher.example')).toBe('jörg@xn--bcher-kva.example')
  expect(asciiMailbox('postmaster@')).toBe('postmaster@')
})
