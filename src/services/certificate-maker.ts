/** Makes keys and certificates for certconfig. */
export interface CertificateMaker {
  /** A new key with a certificate that it signed itself. PEM. */
  selfSigned(names: readonly string[], days: number): { readonly key: string; readonly cert: string }
  /** A signing request (PKCS #10) for a key, to take to an authority. PEM. */
  request(key: string, names: readonly string[]): string
}
