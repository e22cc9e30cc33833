import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startFeedServer } from '../support/feed-server.ts'

/** A provider's feed on loopback: HTTPS, the CSV of URLhaus with its comment lines, ETag and 304. */
export interface DemoFeed {
  readonly url: string
  /** PEM of the CA that signed its certificate. */
  readonly caFile: string
  /** Somebody reports the URL to the provider. */
  report(url: string): void
  lastLine(): string
  stop(): Promise<void>
}

const HEAD = [
  '################################################################',
  '# A feed of the demo in the form of the URLhaus database dump  #',
  '################################################################',
  '#',
  '# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter',
]

export const startDemoFeed = async (home: string): Promise<DemoFeed> => {
  const folder = join(home, 'demo-feed')
  const server = await startFeedServer(folder)
  const caFile = join(folder, 'trusted.pem')
  writeFileSync(caFile, server.caPem)
  const rows: string[] = []
  const report = (url: string): void => {
    const id = 2_131_000 + rows.length
    const link = `https://feed.example.org/url/${id}/`
    rows.unshift(
      `"${id}","2022-03-29 20:20:10","${url}","online","2022-03-29 20:20:10","malware_download","phishing","${link}","demo"`,
    )
  }
  report('http://other.example.org/old.exe')
  server.answer((request, response) => {
    const etag = `"${rows.length}"`
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/csv', etag }).end(`${[...HEAD, ...rows].join('\r\n')}\r\n`)
  })
  return {
    url: `${server.url}/downloads/csv_recent/`,
    caFile,
    report,
    lastLine: () => rows[0] ?? '',
    stop: () => server.stop(),
  }
}
