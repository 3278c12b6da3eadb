// node sheets.mjs FOLDER [--only pages] : every page in French and Arabic on a
// telephone and on a desk, eight to a sheet, to be looked at.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chrome } from './chrome.mjs'
import { enter, open, stage } from './hub.mjs'
import { lends, officer } from './journeys/bank.mjs'
import { insurerOfficer, insures } from './journeys/insurer.mjs'
import { before, travel } from './journeys.mjs'
import { pages, prefix } from './pages.mjs'
import { photograph } from './person.mjs'
import { goesOn } from './gates.mjs'

const folder = process.argv[2]
if (!folder) throw new Error('say which folder the sheets go to: make sheets OUT=…')
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : ''
mkdirSync(folder, { recursive: true })
const hub = await open(process.env.HUB || '../../bin/hub')
const browser = await chrome()

// shoot takes a picture of a page as far down as it goes, within reason.
async function shoot(page, lang, width) {
  const context = await browser.newContext({ viewport: { width, height: width < 600 ? 740 : 800 }, locale: `${lang}-MA`, storageState: page.who, reducedMotion: 'reduce' })
  const tab = await context.newPage()
  await tab.goto(hub.base + prefix(lang) + page.path, { waitUntil: 'networkidle' })
  if (page.after) await goesOn(tab, page.after, hub)
  else await tab.reload({ waitUntil: 'networkidle' }) // the title's face is here now
  const height = Math.min(await tab.evaluate(() => document.documentElement.scrollHeight), width < 600 ? 2200 : 1600)
  await tab.setViewportSize({ width, height })
  await tab.evaluate(() => { for (const d of document.querySelectorAll('.dock')) d.style.position = 'static' }).catch(() => {})
  const shot = await tab.screenshot({ type: 'jpeg', quality: 70 })
  await context.close()
  return { title: `${page.name} · ${lang} · ${width}`, shot }
}

async function sheet(name, shots, width) {
  const tab = await browser.newPage({ viewport: { width: width < 600 ? 1680 : 1960, height: 900 } })
  const each = width < 600 ? 200 : 480
  await tab.setContent(`<style>body{margin:8px;display:flex;flex-wrap:wrap;gap:8px;font:12px sans-serif;background:#888}figure{margin:0;background:#fff;inline-size:${each}px}img{inline-size:100%}</style>` +
    shots.map(s => `<figure>${s.title}<img src="data:image/jpeg;base64,${s.shot.toString('base64')}"></figure>`).join(''), { waitUntil: 'load' })
  await tab.screenshot({ path: join(folder, name + '.png'), fullPage: true })
  await tab.close()
  console.log(join(folder, name + '.png'))
}

try {
  const first = await fetch(hub.base + '/v1/offers?limit=1').then(r => r.json())
  const found = { offer: first.data[0].id, seller: first.data[0].seller.id, who: { seller: await enter(hub, hub.demo.sellers[0].phone), buyer: await enter(hub, hub.demo.buyer.phone) } }
  const { broken } = await travel(before, { hub, browser, found, photo: await photograph(browser) })
  for (const b of broken) console.error(b)
  await stage(hub, found)
  await lends(hub, found)
  await officer(hub, browser, found)
  await insures(hub, found)
  await insurerOfficer(hub, browser, found)
  const all = pages(found).filter(p => p.name !== 'parts' && (!only || new RegExp(only).test(p.name)))
  for (const width of [360, 1280]) for (const lang of ['fr', 'ar']) {
    const per = width < 600 ? 8 : 8
    for (let i = 0; i < all.length; i += per) {
      const shots = []
      for (const page of all.slice(i, i + per)) shots.push(await shoot(page, lang, width).catch(e => { console.error(page.name, e.message.split('\n')[0]); return null }))
      await sheet(`${lang}-${width}-${String(i / per + 1).padStart(2, '0')}`, shots.filter(Boolean), width)
    }
  }
} finally {
  await browser.close()
  await hub.close()
}
