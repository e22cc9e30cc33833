interface Picture {
  readonly width: number
  readonly height: number
  /** Three bytes a pixel. */
  readonly rgb: Buffer
}

export interface PdfPage {
  readonly text?: string
  readonly link?: string
  readonly picture?: Picture
}

/** A PDF document (ISO 32000-1) for tests; it has no cross-reference table, which readers then rebuild. */
export const pdf = (pages: readonly PdfPage[], catalog = ''): Buffer => {
  const chunks: Buffer[] = [Buffer.from('%PDF-1.4\n')]
  const object = (n: number, body: string, stream?: Buffer): void => {
    chunks.push(Buffer.from(`${n} 0 obj\n${body}\n`))
    if (stream) chunks.push(Buffer.from('stream\n'), stream, Buffer.from('\nendstream\n'))
    chunks.push(Buffer.from('endobj\n'))
  }
  object(1, `<</Type/Catalog/Pages 2 0 R${catalog}>>`)
  object(2, `<</Type/Pages/Count ${pages.length}/Kids[${pages.map((_, i) => `${10 * (i + 1)} 0 R`).join(' ')}]>>`)
  object(3, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>')
  for (const [i, { text = '', link, picture }] of pages.entries()) {
    const n = 10 * (i + 1)
    const resources = `/Font<</F1 3 0 R>>${picture ? `/XObject<</I1 ${n + 3} 0 R>>` : ''}`
    const annotations = link === undefined ? '' : `/Annots[${n + 2} 0 R]`
    object(
      n,
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents ${n + 1} 0 R/Resources<<${resources}>>${annotations}>>`,
    )
    const content = Buffer.from(
      `BT /F1 12 Tf 10 300 Td (${text}) Tj ET\n${picture ? 'q 200 0 0 200 0 0 cm /I1 Do Q\n' : ''}`,
    )
    object(n + 1, `<</Length ${content.length}>>`, content)
    if (link !== undefined)
      object(
        n + 2,
        `<</Type/Annot/Subtype/Link/Rect[0 0 50 50]/A<</S/URI/URI<${Buffer.from(link).toString('hex')}>>>>>`,
      )
    if (picture) {
      const { width, height, rgb } = picture
      const form = `/Width ${width}/Height ${height}/ColorSpace/DeviceRGB/BitsPerComponent 8/Length ${rgb.length}`
      object(n + 3, `<</Type/XObject/Subtype/Image${form}>>`, rgb)
    }
  }
  chunks.push(Buffer.from('trailer\n<</Root 1 0 R>>\n'))
  return Buffer.concat(chunks)
}
