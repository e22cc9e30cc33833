import type { NewOpinion } from '../../store/repositories/intel.ts'
import { badness } from '../levels.ts'
import { registrable } from '../url/suffix.ts'

/**
 * Domains that half the world's mail links to. A feed that lists one of them, or a host or the front page below it, made
 * a mistake (lessons.md 50); it may list single pages there. The operator may say of them what they like.
 */
const TOP = new Set(
  `adobe.com akamai.net akamaihd.net aka.ms alibaba.com amazon.com amazon.co.uk amazon.de amazonaws.com android.com aol.com
   apache.org apple.com archive.org atlassian.com atlassian.net azure.com baidu.com bbc.co.uk bbc.com bing.com bit.ly
   booking.com box.com canva.com cisco.com cloudflare.com cloudfront.net cnn.com debian.org dell.com digicert.com discord.com
   docusign.com docusign.net doubleclick.net dropbox.com dropboxusercontent.com ebay.com edgekey.net etsy.com
   exacttarget.com facebook.com fastly.net fbcdn.net fedex.com figma.com flickr.com forbes.com ft.com github.com
   githubusercontent.com gitlab.com gmail.com goo.gl google.com google.co.uk google.de googleapis.com googleusercontent.com
   gravatar.com gstatic.com hotmail.com hp.com hubspot.com ibm.com icloud.com imdb.com instagram.com intel.com intuit.com
   letsencrypt.org linkedin.com live.com live.net mailchimp.com mcusercontent.com list-manage.com medium.com messenger.com
   microsoft.com microsoftonline.com mozilla.org mozilla.com msn.com netflix.com notion.so nytimes.com office.com office.net
   office365.com okta.com openai.com oracle.com outlook.com paypal.com pinterest.com python.org qq.com quora.com reddit.com
   salesforce.com samsung.com sap.com sendgrid.net sharepoint.com shopify.com signal.org skype.com slack.com sourceforge.net
   spotify.com stackoverflow.com stripe.com surveymonkey.com t.co t.me telegram.org tiktok.com tumblr.com twitch.tv
   twitter.com ubuntu.com ups.com usps.com vimeo.com w3.org walmart.com web.de wechat.com wellsfargo.com whatsapp.com
   wikimedia.org wikipedia.org windows.com windows.net windowsupdate.com wordpress.com wordpress.org x.com xbox.com yahoo.com
   yandex.ru yelp.com youtu.be youtube.com ytimg.com zendesk.com zoom.us`.split(/\s+/),
)

/** Does a feed's row condemn a top domain as a whole? */
export const condemnsTopDomain = ({ kind, key, level }: Pick<NewOpinion, 'kind' | 'key' | 'level'>): boolean => {
  if (badness(level) >= badness('neutral')) return false
  const slash = key.indexOf('/')
  if (kind === 'url' && key.slice(slash) !== '/') return false
  const host = slash < 0 ? key : key.slice(0, slash)
  return TOP.has(registrable(host).domain ?? host)
}
