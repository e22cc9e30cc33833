import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** Pixels of a decoded picture, four bytes each: red, green, blue, alpha. */
export interface Pixels {
  readonly data: Uint8ClampedArray
  readonly width: number
  readonly height: number
}

const MAX_CODES = 8

const load = async () => {
  const zxing = await import('zxing-wasm/reader')
  // By itself it would fetch its module from a content delivery network.
  const file = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm')
  zxing.prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(readFileSync(file)).buffer } })
  return zxing
}
let loaded: ReturnType<typeof load> | undefined

/** The texts of the QR codes, Aztec and Data Matrix codes of a picture (a whole PNG, JPEG, GIF or BMP file, or pixels). */
export const barcodeTexts = async (picture: Uint8Array | Pixels): Promise<readonly string[]> => {
  const { readBarcodes } = await (loaded ??= load())
  type Input = Parameters<typeof readBarcodes>[0]
  const found = await readBarcodes(picture as Input, {
    formats: ['QRCode', 'MicroQRCode', 'Aztec', 'DataMatrix'],
    maxNumberOfSymbols: MAX_CODES,
    tryHarder: true,
  })
  return found.filter((code) => code.isValid).map((code) => code.text)
}
