import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist'
import { barcodeTexts } from './barcodes.ts'
import type { Pixels } from './barcodes.ts'
import type { Budget } from './budget.ts'

interface PdfPage {
  /** Addresses of link annotations and form actions, one a line; then the running text. */
  readonly text: string
  /** What QR codes among its pictures say. */
  readonly codes: readonly string[]
}

/** Reads pages in order. Nothing is rendered, run or fetched. @throws what pdf.js finds wrong with the file. */
export const pdfPages = async function* (bytes: Buffer, budget: Budget): AsyncGenerator<PdfPage> {
  const pdfjs = await import('pdfjs-dist/legacy/build/pdf.mjs')
  const home = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'))
  const task = pdfjs.getDocument({
    data: new Uint8Array(bytes), // a copy: pdf.js takes its input for itself
    verbosity: 0,
    cMapUrl: `${home}/cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${home}/standard_fonts/`,
    disableFontFace: true,
    useSystemFonts: false,
    useWasm: false,
    useWorkerFetch: false,
    isEvalSupported: false,
    isOffscreenCanvasSupported: false,
    isImageDecoderSupported: false,
    maxImageSize: budget.pixels,
  })
  try {
    const document: PDFDocumentProxy = await task.promise
    for (let n = 1; n <= document.numPages; n++) {
      if (budget.pdfPages-- <= 0) {
        budget.problem ??= 'a PDF document has too many pages'
        return
      }
      const page = await document.getPage(n)
      yield {
        text: `${await linksOf(page)}\n${await textOf(page)}`,
        codes: await codesOf(page, pdfjs.OPS, budget),
      }
      page.cleanup()
    }
  } finally {
    await task.destroy()
  }
}

/** In angle brackets, so that an address is taken to its end. `unsafeUrl` is the address as it stands in the file. */
const linksOf = async (page: PDFPageProxy): Promise<string> => {
  const annotations = (await page.getAnnotations()) as readonly { readonly url?: string; readonly unsafeUrl?: string }[]
  return annotations
    .flatMap(({ url, unsafeUrl }) => {
      const address = unsafeUrl ?? url
      return address === undefined ? [] : [`<${address.replace(/[<>\r\n]/g, '')}>`]
    })
    .join('\n')
}

const textOf = async (page: PDFPageProxy): Promise<string> => {
  const { items } = await page.getTextContent()
  return items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('')
}

interface PdfImage {
  readonly data?: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
}

const codesOf = async (
  page: PDFPageProxy,
  ops: Readonly<Record<string, number>>,
  budget: Budget,
): Promise<readonly string[]> => {
  if (budget.images <= 0) return []
  const codes: string[] = []
  const { fnArray, argsArray } = await page.getOperatorList()
  for (const [i, fn] of fnArray.entries()) {
    if (fn !== ops['paintImageXObject'] && fn !== ops['paintInlineImageXObject']) continue
    if (budget.images-- <= 0) {
      budget.problem ??= 'there are too many pictures'
      break
    }
    const [first] = argsArray[i] as readonly [string | PdfImage]
    const pixels = pixelsOf(typeof first === 'string' ? await imageNamed(page, first) : first)
    if (pixels) codes.push(...(await barcodeTexts(pixels)))
  }
  return codes
}

const imageNamed = (page: PDFPageProxy, name: string): Promise<PdfImage | null> =>
  new Promise((resolve) => {
    const store = (name.startsWith('g_') ? page.commonObjs : page.objs) as {
      has(name: string): boolean
      get(name: string): unknown
    }
    resolve(store.has(name) ? (store.get(name) as PdfImage | null) : null)
  })

/** pdf.js gives rows of one bit a pixel (padded to bytes), or of three or four bytes. */
const pixelsOf = (image: PdfImage | null): Pixels | null => {
  if (!image?.data) return null
  const { data, width, height } = image
  const out = new Uint8ClampedArray(width * height * 4).fill(255)
  const bytes = data.length / (width * height)
  const row = (width + 7) >> 3
  if (bytes < 1 && data.length < row * height) return null
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++)
      for (let c = 0; c < 3; c++)
        out[at * 4 + c] =
          bytes < 1 ? (((data[y * row + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1) * 255 : (data[at * bytes + c] ?? 0)
  return { data: out, width, height }
}
