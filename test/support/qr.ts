import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer'

const wasm = readFileSync(createRequire(import.meta.url).resolve('zxing-wasm/writer/zxing_writer.wasm'))
prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(wasm).buffer } })

/** A QR code as a PNG file, and as pixels of three bytes. */
export const qrCode = async (text: string) => {
  const { image, symbol } = await writeBarcode(text, { format: 'QRCode', scale: 4 })
  const png = Buffer.from((await image?.arrayBuffer()) ?? new ArrayBuffer(0))
  const scale = 4
  const quiet = 4
  const width = (symbol.width + 2 * quiet) * scale
  const rgb = Buffer.alloc(width * width * 3, 255)
  for (let y = 0; y < width; y++)
    for (let x = 0; x < width; x++) {
      const [mx, my] = [Math.floor(x / scale) - quiet, Math.floor(y / scale) - quiet]
      const dark =
        mx >= 0 && my >= 0 && mx < symbol.width && my < symbol.width && symbol.data[my * symbol.width + mx] === 0
      if (dark) rgb.fill(0, (y * width + x) * 3, (y * width + x) * 3 + 3)
    }
  return { png, picture: { width, height: width, rgb } }
}
