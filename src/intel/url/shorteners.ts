import { registrable } from './suffix.ts'

/** Services whose whole purpose is to lead elsewhere. Only these are ever asked. */
const HOSTS: ReadonlySet<string> = new Set(
  [
    '0rz.tw 1url.com 2.gp 2u.pw adf.ly aka.ms amzn.eu amzn.to b23.tv bc.vc bit.do bit.ly bitly.com bl.ink',
    'budurl.com buff.ly clck.ru cli.re cutt.ly cutt.us db.tt dlvr.it dub.sh dwz.cn eepurl.com fb.me flic.kr g.co gg.gg',
    'goo.gl goo.su hubs.la hubs.li hubs.ly ift.tt is.gd ity.im j.mp kutt.it lnk.bio lnkd.in lstu.fr',
    'mcaf.ee me2.do mzl.la n9.cl nyti.ms ouo.io ow.ly owl.li po.st qps.ru qr.ae qr.net qrco.de rb.gy',
    'rebrand.ly redd.it reut.rs rotf.lol s.id s.coop scnv.io shorl.com short.gy short.io shorte.st shorturl.asia',
    'shorturl.at shrtco.de sh.st smarturl.it snip.ly soo.gd spoti.fi su.pr surl.li t.co t.cn t.ly t2m.io tcrn.ch',
    'tiny.cc tiny.one tinyurl.com tny.im tr.im trib.al u.nu u.to url.cn urlz.fr urlzs.com utm.io v.gd v.ht vk.cc',
    'w.wiki wa.link win.gs wp.me x.co x.gd xurl.es zpr.io zws.im',
  ].flatMap((line) => line.split(' ')),
)

/** A link of a known shortener: its host and something after it that names the link. */
export const isShortened = (url: string): boolean => {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return false
  const { hostname, pathname, username } = new URL(url)
  if (pathname.length < 2 || username !== '') return false
  const host = hostname.replace(/^www\./, '')
  return HOSTS.has(host) || HOSTS.has(registrable(host).domain ?? '')
}

/** Asks a shortener. */
export interface ShortLinks {
  /**
   * Where the link leads: the last address of a chain of shorteners, which itself is not asked. Null when it leads
   * nowhere (removed link, no redirect, no answer in time, more than `maxDepth` redirections). Never throws.
   */
  expand(url: string, maxDepth: number, signal: AbortSignal): Promise<string | null>
}
