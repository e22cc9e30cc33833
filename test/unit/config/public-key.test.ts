import { expect, it } from 'vitest'
import { generateKeyPairSync } from 'node:crypto'
import { inBlocks } from '../../../src/config/address-block.ts'
import { fingerprint, parsePublicKey } from '../../../src/config/public-key.ts'

const ED = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINOJx2gDtHZbGv2qLkFUPmV5jpg0gAPO7mWZmfPVBc8y'

const string = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
const rsa = (bits: number): string => {
  const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' })
  const number = (text: string): Buffer => string(Buffer.concat([Buffer.of(0), Buffer.from(text, 'base64url')]))
  const blob = Buffer.concat([string(Buffer.from('ssh-rsa')), number(e), number(n)])
  return `ssh-rsa ${blob.toString('base64')}`
}

it('reads a key and its comment', () => {
  const key = parsePublicKey(`  ${ED} anna at home `)
  expect(key).toMatchObject({ ok: true, value: { type: 'ssh-ed25519', comment: 'anna at home' } })
  expect(key.ok && fingerprint(key.value.blob)).toBe('SHA256:eOQIiMPaOi3M+rN2ZT0xLgnOPcAeVTJw4sumK+Q5fSI')
})

it.each([
  ['', /must be one line/],
  ['ssh-dss AAAAB3NzaC1kc3M=', /must be one line/],
  [`no-pty ${ED}`, /must be one line/],
  [ED.slice(0, -6), /damaged/],
  [ED.replace('ssh-ed25519', 'ssh-rsa'), /damaged/],
  [rsa(1024), /at least 2048 bits/],
])('refuses %#', (text, why) => {
  const key = parsePublicKey(text)
  expect(key.ok ? '' : key.error).toMatch(why)
})

it('takes an RSA key that is long enough', () => expect(parsePublicKey(rsa(2048)).ok).toBe(true))

it.each([
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['10.2.0.1', false],
  ['192.168.1.1', true],
  ['2001:db8::5', true],
  ['2001:db9::5', false],
  ['rubbish', false],
])('%s in blocks: %s', (address, inside) =>
  expect(inBlocks(['10.1.0.0/16', '192.168.1.1', '2001:db8::/32'], address)).toBe(inside),
)
