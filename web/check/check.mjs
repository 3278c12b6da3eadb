// node check.mjs [--only pages] [--journey name] [--short] : walks the journeys in
// Chromium, opens every page of a demonstration there and holds it to its gates.
// It ends with 1 when one is broken. --only is a regular expression, --views how
// many languages and widths of a page are enough. SHOW=1 tells where it is.
import { lends, officer } from './journeys/bank.mjs'
import { insurerOfficer, insures } from './journeys/insurer.mjs'
import { chrome } from './chrome.mjs'
import { enter, open, stage } from './hub.mjs'
import { pages, prefix, short, views } from './pages.mjs'
import { photograph } from './person.mjs'
import { after, before, travel } from './journeys.mjs'
import { again, focus, reachable, readable, spoken, stands, valid, visit, weighs, widest } from './gates.mjs'

const option = name => process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : ''
const only = option('--only'), brief = process.argv.includes('--short')
const hub = await open(process.env.HUB || '../../bin/hub')
const browser = await chrome()
const broken = [], table = [], rows = []
const size = width => ({ width, height: width < 600 ? 740 : 800 })

async function check(page, lang, width) {
  const name = `${page.name} ${lang} ${width}`
  const at = { ...page, at: prefix(lang) + page.path }
  const wrong = []
  const context = await browser.newContext({ viewport: size(width), locale: lang === 'zgh' ? 'fr-MA' : `${lang}-MA`, storageState: page.who })
  const { tab, seen } = await visit(context, hub, at)
  wrong.push(...seen.wrong, ...weighs(page, seen, width, lang), ...await stands(tab, lang), ...await reachable(tab, page.desk), ...await valid(seen.html), ...await spoken(tab, lang), ...await focus(tab))
  if (width === 360) {
    for (const [what, to] of [['at 320 px', () => tab.setViewportSize(size(320))], ['at 200 % text', async () => { await tab.setViewportSize(size(360)); await tab.evaluate(() => { document.documentElement.style.fontSize = '200%' }) }]]) {
      await to()
      for (const w of (await stands(tab, lang)).filter(w => w.startsWith('wider'))) wrong.push(`${what} ${w}: ${await widest(tab)}`)
    }
  }
  await context.close()
  const plain = await browser.newContext({ viewport: size(width), bypassCSP: true, storageState: page.who })
  const { tab: bare } = await visit(plain, hub, at)
  wrong.push(...await readable(bare))
  await plain.close()
  table.push([name, (seen.bytes / 1024).toFixed(1), page.budget[0], seen.requests, page.budget[1], wrong.length])
  broken.push(...wrong.map(w => `${name}: ${w}`))
  if (process.env.SHOW) console.error(name, wrong)
}

// Who comes back finds what does not change where it was, and nothing of one's
// own is kept.
async function comesBack(page) {
  const context = await browser.newContext({ viewport: size(360), locale: 'fr-MA', storageState: page.who })
  const { wrong, bytes, requests } = await again(context, hub, page)
  await context.close()
  table.push([`${page.name}, second visit`, (bytes / 1024).toFixed(1), 40, requests, 8, wrong.length])
  broken.push(...wrong.map(w => `${page.name}, second visit: ${w}`))
}

async function walk(journeys, found, photo) {
  const done = await travel(journeys, { hub, browser, found, photo, only: option('--journey') })
  rows.push(...done.rows)
  broken.push(...done.broken)
}

try {
  const first = await fetch(hub.base + '/v1/offers?limit=1').then(r => r.json())
  const found = { offer: first.data[0].id, seller: first.data[0].seller.id, who: { seller: await enter(hub, hub.demo.sellers[0].phone), buyer: await enter(hub, hub.demo.buyer.phone) } }
  const photo = await photograph(browser)
  await walk(before.filter(j => j[2] || !brief), found, photo)
  if (!brief && !option('--journey')) {
    await stage(hub, found)
    await lends(hub, found)
    await officer(hub, browser, found)
    await insures(hub, found)
    await insurerOfficer(hub, browser, found)
  }
  if (!option('--journey')) {
    const all = pages(found).filter(p => !only || new RegExp(only).test(p.name)).filter(p => !brief || only || short.includes(p.name))
    for (const page of all) for (const [lang, width] of views(page).slice(0, brief ? 2 : Number(option('--views')) || undefined)) await check(page, lang, width)
    for (const page of all) if (['market', 'product', 'sell'].includes(page.name)) await comesBack(page)
  }
  if (!brief) await walk(after, found, photo)
} finally {
  await browser.close()
  await hub.close()
}
const print = (head, lines) => { console.log(head.join('\t')); for (const l of lines) console.log(l.join('\t')); console.log() }
if (rows.length) print(['journey', 'taps', 'keys', 'typed', 'pages', 'KB down', 'KB up'], rows)
if (table.length) print(['page', 'KB', 'of', 'requests', 'of', 'wrong'], table)
if (broken.length) {
  console.error(`${broken.length} gates are broken:\n` + broken.join('\n'))
  process.exit(1)
}
console.log('all gates hold')
