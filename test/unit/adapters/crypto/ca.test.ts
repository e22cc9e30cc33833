import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadOwnCa } from '../../../../src/adapters/crypto/ca.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import { systemEntropy } from '../../../../src/core/entropy.ts'

const env = { clock: systemClock, entropy: systemEntropy }
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-ca-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

describe('the own certificate authority', () => {
  it('keeps its files, 0600, and signs anew only for other hosts', async () => {
    const first = await loadOwnCa(home, ['127.0.0.1', 'localhost', '::1'], env)
    expect(await loadOwnCa(home, ['127.0.0.1', 'localhost', '::1'], env)).toEqual(first)
    const other = await loadOwnCa(home, ['intel.example.com'], env)
    expect(other.caPem).toBe(first.caPem)
    expect(other.certPem).not.toBe(first.certPem)
    for (const name of ['ca.key', 'server.key']) expect(statSync(join(home, name)).mode & 0o777).toBe(0o600)
  })

  it('makes certificates that TLS clients take, for those hosts and under that CA only', async () => {
    const { caPem, certPem, keyPem } = await loadOwnCa(home, ['127.0.0.1', '::1', 'localhost'], env)
    const certificate = new X509Certificate(certPem)
    expect(certificate.checkIssued(new X509Certificate(caPem))).toBe(true)
    expect(certificate.subjectAltName).toBe('IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:localhost')
    const server = createServer({ key: keyPem, cert: certPem }, (_, answer) => answer.end('yes'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const ask = (ca?: string): Promise<string> =>
      new Promise((resolve) => {
        const { port } = server.address() as AddressInfo
        get({ host: '127.0.0.1', port, ...(ca ? { ca } : {}) }, (r) => {
          r.resume()
          resolve(String(r.statusCode))
        }).on('error', (e) => resolve((e as { code?: string }).code ?? e.message))
      })
    expect(await ask(caPem)).toBe('200')
    expect(await ask()).toMatch(/SIGNATURE|CERT/)
    server.close()
  })
})
