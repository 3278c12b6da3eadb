// A person at a screen: each tap, each character, each page and each byte counts.
// What the browser complains about on the way is kept in `wrong`.
import { kept } from './gates.mjs'
import { until } from './hub.mjs'

const none = { taps: 0, presses: 0, typed: 0, fields: 0, pages: 0 }

export class Person {
  constructor(hub, context, tab, js) {
    Object.assign(this, { hub, context, tab, js, n: { ...none }, wrong: [], fine: new Set(), offline: false, mark: hub.wire.mark() })
  }

  // sit opens a browser: lang and width as the person has them, who as what the
  // browser keeps of somebody, js: false for a browser without scripts.
  static async sit(hub, browser, { lang = 'fr', width = 360, who, js = true } = {}) {
    const context = await browser.newContext({
      viewport: { width, height: width < 600 ? 740 : 800 }, hasTouch: width < 600, locale: `${lang}-MA`, storageState: who, javaScriptEnabled: js,
      geolocation: { latitude: 34.03332, longitude: -5.00028 }, permissions: ['geolocation'],
    })
    const tab = await context.newPage()
    tab.setDefaultTimeout(15000)
    const p = new Person(hub, context, tab, js)
    p.listen(tab)
    return p
  }

  listen(tab) {
    const hosts = [this.hub.base, this.hub.sim]
    tab.on('request', r => { if (!/^(data|blob):/.test(r.url()) && !hosts.includes(new URL(r.url()).origin)) this.wrong.push(`asks ${r.url()}`) })
    tab.on('response', r => { if (r.status() >= 400 && !this.fine.has(r.status())) this.wrong.push(`${r.status()} ${r.request().method()} ${r.url()}`) })
    tab.on('pageerror', e => { if (!/^Transition was/.test(e.message)) this.wrong.push(`script: ${e.message}`) }) // a fade that is cut short is the browser's own affair
    tab.on('console', m => {
      const text = m.text(), bank = m.location().url?.startsWith(this.hub.sim)
      if (!['error', 'warning'].includes(m.type()) || bank || this.offline || /ERR_INTERNET_DISCONNECTED|ERR_EMPTY_RESPONSE|ERR_CONNECTION/.test(text)) return
      if (/status of 4/.test(text) && this.fine.size) return
      this.wrong.push(`console: ${text}`)
    })
    tab.on('framenavigated', f => { if (f === tab.mainFrame() && f.url() !== 'about:blank') this.n.pages++ })
    if (this.js) tab.addInitScript(() => addEventListener('securitypolicyviolation', e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)))
  }

  // begins forgets what was counted so far: what comes now is the journey.
  begins() { Object.assign(this, { n: { ...none }, mark: this.hub.wire.mark() }) }

  // counts are what the journey took until now.
  counts() {
    const { down, up } = this.hub.wire.since(this.mark)
    return { ...this.n, down, up }
  }

  at() { return new URL(this.tab.url()).pathname }
  // opens goes to a page, which may load itself again meanwhile: what waited was sent.
  async opens(path) {
    const to = path.startsWith('http') ? path : this.hub.base + path
    await this.tab.goto(to).catch(async e => {
      if (!e.message.includes('interrupted by another navigation')) throw e
      await this.tab.waitForLoadState()
      if (this.tab.url() !== to) await this.tab.goto(to)
    })
    return this
  }

  find(target) { return typeof target === 'string' ? this.tab.locator(target).first() : target }

  // taps presses something with a thumb, or with a mouse on a wide screen.
  async taps(target) {
    this.n.taps++
    const x = this.find(target), goes = this.tab.waitForEvent('framenavigated', { timeout: 400 }).catch(() => {})
    if (this.tab.viewportSize().width < 600) await x.tap()
    else await x.click()
    await goes
  }

  // types fills a field: a tap on it, and each character.
  async types(target, text) {
    this.n.fields++
    this.n.typed += text.length
    await this.find(target).fill(text)
  }

  // shows hands a photograph to the camera's field, which is one tap.
  async shows(target, photo) {
    this.n.taps++
    await this.find(target).setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: photo })
  }

  // sees waits until something is on the screen.
  async sees(target) { await this.find(target).waitFor() }

  // comes waits until the address is one of these; asks for the page again where
  // it does not by itself.
  async comes(to, { again = false, ms = 30000 } = {}) {
    await until(`a page ${to} after ${this.tab.url()}`, async () => {
      if (to.test(this.at())) return true
      if (again) { await this.tab.waitForTimeout(700); await this.tab.reload() }
      return false
    }, ms)
    await this.tab.waitForLoadState()
  }

  async text() { return (await this.tab.locator('main').innerText()).replace(/\s+/g, ' ') }

  // keeps waits until the telephone has what it needs without a network: that comes
  // with the second page, as the one where people sign in is the first.
  async keeps() {
    await this.tab.waitForFunction(() => navigator.serviceWorker.controller)
    await this.tab.reload()
    await kept(this.tab, true)
  }

  // the network goes, and comes back.
  async loses() { this.offline = true; await this.context.setOffline(true) }
  async finds() { await this.context.setOffline(false); this.offline = false }

  // frame looks whether nothing is wider than the screen, once the page is there.
  async frame() {
    const [w, room] = await until('a page that stands', async () => {
      await this.tab.waitForLoadState()
      return this.tab.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]).catch(() => null)
    })
    if (w > room) this.wrong.push(`${this.at()} is ${w} px wide on ${room}`)
  }

  // Keys alone: press counts each, walks goes on by Tab to what is meant.
  async press(...keys) { for (const k of keys) { this.n.presses++; await this.tab.keyboard.press(k) } }
  async write(text) { this.n.typed += text.length; await this.tab.keyboard.press('Control+A'); await this.tab.keyboard.type(text) }
  async walks(selector, most = 60) {
    for (let i = 0; i < most; i++) {
      if (await this.tab.evaluate(s => !!document.activeElement?.matches(s), selector)) return
      await this.press('Tab')
    }
    throw new Error(`${selector} is not reached by ${most} presses of Tab at ${this.at()}`)
  }

  // follows presses a key and waits for the page that comes of it.
  async follows(key) {
    const loaded = this.tab.waitForEvent('load')
    await this.press(key)
    await loaded
  }

  async leaves() { await this.context.close() }
}

// photograph is a large picture, as a camera makes it.
export async function photograph(browser, width = 2400, height = 1800) {
  const tab = await browser.newPage({ viewport: { width, height } })
  await tab.setContent('<style>body{margin:0}</style><canvas></canvas>')
  await tab.evaluate(([w, h]) => {
    const c = Object.assign(document.querySelector('canvas'), { width: w, height: h }), x = c.getContext('2d'), d = x.createImageData(w, h)
    let seed = 7
    for (let i = 0; i < d.data.length; i += 4) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      const at = i / 4, light = 90 + 60 * Math.sin((at % w) / 90) + 40 * Math.cos(at / w / 70) + (seed >> 16) % 40
      d.data[i] = light; d.data[i + 1] = light * 0.8; d.data[i + 2] = light * 0.5; d.data[i + 3] = 255
    }
    x.putImageData(d, 0, 0)
  }, [width, height])
  const b = await tab.locator('canvas').screenshot({ type: 'jpeg', quality: 92 })
  await tab.close()
  return b
}
