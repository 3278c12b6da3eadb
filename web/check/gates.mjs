// What is true of every page: each gate looks at one page in a real browser and
// says what is wrong, or nothing.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { HtmlValidate } from 'html-validate'
import { pause, until } from './hub.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

// kept waits until a page's own shells are there for when there is no network: a
// courier's at once, those of others come with the second page.
export const kept = (tab, back) => until('what is kept', () => tab.evaluate(async back => {
  const at = (location.pathname.match(/^\/(ar|en|zgh)(?=\/|$)/) || [''])[0] + '/hors-ligne', desk = document.documentElement.className
  await navigator.serviceWorker.ready
  for (const x of !back && desk !== 'courier' ? [] : { seller: ['/v', '/vendre'], courier: ['/l'] }[desk] || ['']) if (!await caches.match(at + x)) return false
  return true
}, back), 120000)

// settles waits until nothing passes on the wire any more, that of the service
// worker included.
async function settles(tab, hub) {
  if (await tab.evaluate(() => !!document.querySelector('script[src*="/app."]'))) await kept(tab)
  for (let was = -1; hub.wire.down !== was; await pause(400)) was = hub.wire.down
}

// A visit counts what a page loads, on the wire: that of its service worker too, as
// it settles. It hears what the browser complains about.
export async function visit(context, hub, page) {
  const tab = await context.newPage(), { base } = hub
  const seen = { bytes: 0, requests: 0, wrong: [], html: '' }
  const wire = await context.newCDPSession(tab)
  await wire.send('Network.enable')
  const hosts = new Set()
  wire.on('Network.requestWillBeSent', e => {
    if (!/^(data|blob):/.test(e.request.url)) hosts.add(new URL(e.request.url).origin)
  })
  tab.on('console', m => { if (['error', 'warning'].includes(m.type()) && !(page.status && /status of 4/.test(m.text()))) seen.wrong.push(`console: ${m.text()}`) })
  tab.on('pageerror', e => { if (!/^Transition was/.test(e.message)) seen.wrong.push(`script: ${e.message}`) }) // a fade that is cut short is the browser's own affair
  tab.on('response', r => { if (r.status() >= 400 && r.status() !== page.status) seen.wrong.push(`${r.status()} ${r.url()}`) })
  await tab.addInitScript(() => {
    window.shifts = 0
    new PerformanceObserver(all => { for (const e of all.getEntries()) if (!e.hadRecentInput) window.shifts += e.value }).observe({ type: 'layout-shift', buffered: true })
    addEventListener('securitypolicyviolation', e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`))
  })
  let mark = hub.wire.mark(), answer = await tab.goto(base + page.at, { waitUntil: 'networkidle' })
  await settles(tab, hub)
  if (page.after) {
    const after = await goesOn(tab, page.after, hub)
    answer = after.answer
    mark = after.mark
    await settles(tab, hub)
  }
  const { down, asked } = hub.wire.since(mark)
  Object.assign(seen, { bytes: down, requests: asked })
  seen.html = await answer.text()
  for (const h of hosts) if (h !== base) seen.wrong.push(`asks ${h}`)
  if (answer.status() !== (page.status || 200)) seen.wrong.push(`answers ${answer.status()}`)
  const shifts = await tab.evaluate(() => window.shifts)
  if (shifts > 0.02) seen.wrong.push(`shifts by ${shifts.toFixed(3)}`)
  return { tab, seen }
}

// goesOn fills a form in and sends it: the page that answers is the one that is
// looked at, whether the browser went there or a script sent the form. Forms are
// sent as they are, also when the browser would not.
export async function goesOn(tab, steps, hub) {
  let answer, mark = hub.wire.mark()
  const answers = r => { if (r.frame() === tab.mainFrame() && ![204, 303].includes(r.status()) && (r.request().isNavigationRequest() || r.request().method() === 'POST')) answer = r }
  tab.on('response', answers)
  for (const [how, target, text] of steps) {
    const x = tab.locator(target).first()
    if (how === 'fill') { await x.fill(text); continue }
    if (how === 'choose') { await x.selectOption(text); continue }
    if (how === 'tick') { await x.check(); continue }
    if (how === 'file') { await x.setInputFiles({ name: 'produits.csv', mimeType: 'text/csv', buffer: Buffer.from(text) }); continue }
    await tab.evaluate(() => { for (const f of document.forms) f.noValidate = true })
    answer = undefined
    mark = hub.wire.mark()
    const stays = tab.waitForResponse(r => r.request().method() === 'POST' && !r.request().isNavigationRequest() && r.status() !== 204, { timeout: 120000 })
    await Promise.all([Promise.any([tab.waitForEvent('load', { timeout: 120000 }), stays]), x.click()])
    await tab.waitForLoadState('networkidle')
    await until('the answer', () => answer)
  }
  tab.off('response', answers)
  return { answer, mark }
}

// again visits a page a second time, with what the first visit left: what passes
// on the wire is counted, that of the service worker too.
export async function again(context, hub, page) {
  const wrong = [], at = hub.base + page.path
  const tab = await context.newPage()
  await tab.goto(at, { waitUntil: 'networkidle' })
  await settles(tab, hub)
  await tab.close()
  const mark = hub.wire.mark()
  const second = await context.newPage()
  await second.goto(at, { waitUntil: 'networkidle' })
  await settles(second, hub)
  const { down, asked } = hub.wire.since(mark)
  if (down > 40 * 1024) wrong.push(`weighs ${(down / 1024).toFixed(1)} KB of 40`)
  if (asked > 8) wrong.push(`${asked} requests of 8`)
  const own = await second.evaluate(async () => {
    const out = []
    for (const name of await caches.keys()) for (const r of await (await caches.open(name)).keys()) out.push(new URL(r.url).pathname)
    return out.filter(p => /^(\/(ar|en|zgh))?\/(moi|v|op|b|o|g|l|panier|entrer|factures)(\/|$)/.test(p))
  })
  if (own.length) wrong.push(`keeps ${own}`)
  return { wrong, bytes: down, requests: asked }
}

// weighs compares with the budget. Bytes are those of the wire; requests are counted
// on a telephone, where six pictures are in view.
export function weighs(page, seen, width, lang) {
  const [kb, most] = page.budget, out = []
  const requests = lang === 'zgh' ? most + 1 : most // the face of its script
  if (seen.bytes > kb * 1024) out.push(`weighs ${(seen.bytes / 1024).toFixed(1)} KB of ${kb}`)
  if (width < 600 && seen.requests > requests) out.push(`${seen.requests} requests of ${requests}`)
  return out
}

// stands looks at the frame: language, direction, one title, one key, nothing
// wider than the screen, amounts whole.
export function stands(tab, lang) {
  return tab.evaluate(lang => {
    const out = [], root = document.documentElement, shown = lang === 'zgh' ? 'fr' : lang
    if (root.lang !== shown) out.push(`lang ${root.lang}`)
    if (root.dir !== (lang === 'ar' ? 'rtl' : 'ltr')) out.push(`dir ${root.dir}`)
    const n = document.querySelectorAll('h1').length
    if (n !== 1) out.push(`${n} h1`)
    if (document.querySelectorAll('.btn.go').length > 1) out.push('more than one main key')
    if (root.scrollWidth > root.clientWidth) out.push(`wider than the screen: ${root.scrollWidth} of ${root.clientWidth}`)
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let t; (t = walker.nextNode());) if (/\d \d{3}(\D|$)/.test(t.data)) out.push(`a plain space within a number: ${t.data.trim().slice(0, 40)}`)
    for (const b of document.querySelectorAll('bdi.num')) {
      if (b.dir !== 'ltr') out.push(`a number without direction: ${b.textContent}`)
      const node = b.firstChild
      if (node?.nodeType !== 3 || node.length < 2) continue
      const at = i => { const r = document.createRange(); r.setStart(node, i); r.setEnd(node, i + 1); return r.getBoundingClientRect() }
      const first = at(0), last = at(node.length - 1)
      if (first.width && first.top === last.top && first.left >= last.left) out.push(`a number in the wrong order: ${b.textContent}`)
    }
    return out
  }, lang)
}

// reachable finds what is too small for a thumb: 48 px for buyers and sellers,
// 24 on desks. Links within a sentence are as large as their words.
export function reachable(tab, desk) {
  return tab.evaluate(least => {
    const out = []
    for (const e of document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary')) {
      const style = getComputedStyle(e)
      if (e.closest('.vh,.skip,[hidden]') || e.classList.contains('vh') || style.visibility === 'hidden' || !e.getClientRects().length) continue
      if (style.display === 'inline' && e.closest('p,li,dd,td')) continue
      const box = (e.closest('label') || e).getBoundingClientRect()
      if (Math.min(box.width, box.height) < least - 0.5) out.push(`${e.outerHTML.slice(0, 80)} is ${Math.round(box.width)}×${Math.round(box.height)}`)
    }
    return out.slice(0, 5)
  }, ['shop', 'seller', 'courier'].includes(desk) ? 48 : 24)
}

// focus walks through the page with the keyboard: each stop shows itself, in the
// order of the document, and the walk comes to an end.
export async function focus(tab) {
  const out = []
  await tab.evaluate(() => { document.activeElement?.blur(); window.stops = new Map() })
  for (let i = 0; i < 80; i++) {
    await tab.keyboard.press('Tab')
    const stop = await tab.evaluate(() => {
      const e = document.activeElement
      if (!e || e === document.body) return null
      if (window.stops.has(e)) return { again: true }
      window.stops.set(e, true)
      const s = getComputedStyle(e), own = parseFloat(s.outlineWidth) >= 3 && s.outlineStyle !== 'none'
      const around = e.closest('label'), a = around && getComputedStyle(around)
      const last = window.last
      window.last = e
      return {
        seen: own || a && parseFloat(a.outlineWidth) >= 3 && a.outlineStyle !== 'none', html: e.outerHTML.slice(0, 80),
        back: !!last && !(last.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING) && !last.contains(e),
      }
    })
    if (!stop || stop.again) return out
    if (!stop.seen) out.push(`focus is not seen on ${stop.html}`)
    if (stop.back) out.push(`focus goes back to ${stop.html}`)
  }
  return out
}

// readable asks axe.
export async function readable(tab) {
  await tab.evaluate(axe)
  const found = await tab.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }))
  return found.violations.map(v => `axe ${v.id}: ${v.nodes[0].html.slice(0, 120)}`)
}

const validator = new HtmlValidate({
  extends: ['html-validate:standard'],
  rules: {
    'doctype-style': 'off', 'void-style': 'off', 'no-trailing-whitespace': 'off', 'attribute-boolean-style': 'off', 'attribute-empty-style': 'off', 'long-title': 'off',
    'no-implicit-button-type': 'off', 'prefer-native-element': 'off', 'no-raw-characters': 'off', 'require-sri': 'off', 'tel-non-breaking': 'off',
  },
})

// What somebody hears who does not see the page: one main part, one first heading,
// and a name for whatever can be used; in Arabic, keys are named in Arabic, but the browser's own.
const used = ['button', 'link', 'textbox', 'searchbox', 'combobox', 'checkbox', 'radio', 'spinbutton', 'switch', 'DisclosureTriangle', 'image']
export async function spoken(tab, lang) {
  const device = await tab.context().newCDPSession(tab)
  const { nodes } = await device.send('Accessibility.getFullAXTree')
  await device.detach()
  const told = nodes.filter(n => !n.ignored).map(n => ({ role: n.role?.value, name: (n.name?.value ?? '').trim(), level: n.properties?.find(p => p.name === 'level')?.value.value }))
  const wrong = told.filter(n => used.includes(n.role) && !n.name).map(n => `spoken: a ${n.role} without a name`)
  for (const [what, n] of [['main part', told.filter(n => n.role === 'main').length], ['first heading', told.filter(n => n.role === 'heading' && n.level === 1).length]]) if (n !== 1) wrong.push(`spoken: ${n} ${what}s`)
  if (lang === 'ar') for (const { name } of told.filter(n => n.role === 'button')) if (/[A-Za-z]{3}/.test(name) && !name.startsWith('Show date picker') && !/[\u0600-\u06ff]/.test(name)) wrong.push(`spoken: a key named ${name}`)
  return wrong
}

// valid reads the page as it was sent.
export async function valid(html) {
  const report = await validator.validateString(html)
  return report.results.flatMap(r => r.messages).map(m => `html ${m.ruleId} at ${m.line}:${m.column}: ${m.message}`).slice(0, 5)
}

// widest names what is wider than the screen, to mend it.
export function widest(tab) {
  return tab.evaluate(() => [...document.querySelectorAll('body *')].filter(e => !e.closest('.side,.cats,.scroll') && e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1).slice(0, 3).map(e => e.outerHTML.slice(0, 90)))
}
