// Sellers and those who bring: in a tunnel, with a code, without scripts.
import { ask, enter, sold, until } from '../hub.mjs'
import { Person } from '../person.mjs'

export const mine = async (hub, seller, name) => (await ask(hub.base, 'GET', '/v1/offers/mine?limit=50', { key: seller.api_key })).data.filter(o => Object.values(o.names).includes(name))
export const state = async (hub, s) => (await ask(hub.base, 'GET', `/v1/orders/${s.order}`, { key: hub.demo.operator.api_key })).state

// offer fills the one screen: a photograph, a price, a kind of goods, a name.
export async function offer(p, photo, name) {
  await p.shows('#f-photo', photo)
  await p.types('#f-prix-0', '145')
  if (name) await p.types('#f-nom', name)
}

// In a tunnel: the screen opens; photograph, price, publish. It waits on the telephone and is sent
// once when the network is back, also when the first answer is lost, or when the
// page was closed meanwhile.
export async function offline({ hub, browser, photo, is, check }) {
  const seller = hub.demo.sellers[1]
  const p = await Person.sit(hub, browser, { who: await enter(hub, seller.phone) })
  await p.opens('/v')
  await p.keeps()
  await p.loses()
  await p.taps('.btn.go')
  await p.sees('[data-shell]')
  await p.sees('#f-photo')
  await p.frame()
  await offer(p, photo)
  await p.sees('[data-preview][src^="blob:"]')
  await p.types('#f-nom', 'Tunnel (exemple)')
  await p.taps('.dock .btn.go')
  await p.sees('[data-waiting]:not([hidden])')
  is((await mine(hub, seller, 'Tunnel (exemple)')).length === 0, 'it was sent without a network')
  const before = hub.wire.mark()
  await p.finds()
  await until('what waited', async () => (await mine(hub, seller, 'Tunnel (exemple)')).length)
  const { up } = hub.wire.since(before)
  is(up <= 210 * 1024, `a photograph of ${Math.round(photo.length / 1024)} KB is sent as ${Math.round(up / 1024)} KB`)
  await until('the page to say so', () => p.tab.locator('[data-waiting][hidden]').count())
  check('sold offline', p, { taps: 3, down: 100 * 1024 })

  // The answer is lost on its way: what is sent again is the same.
  await p.opens('/v/vendre')
  await p.loses()
  await offer(p, photo, 'Coupure (exemple)')
  await p.taps('.dock .btn.go')
  await p.sees('[data-waiting]:not([hidden])')
  await p.tab.close()
  p.tab = await p.context.newPage()
  p.fine.add(502)
  hub.wire.cut = true
  hub.wire.lost = 0
  await p.context.setOffline(false)
  await p.tab.goto(hub.base + '/v').catch(() => {}) // its answer is lost too
  hub.wire.cut = false
  await p.tab.waitForTimeout(500)
  await p.opens('/v')
  p.offline = false
  await until('what waited', async () => (await mine(hub, seller, 'Coupure (exemple)')).length)
  await p.opens('/v')
  await until('the page to say so', () => p.tab.locator('[data-waiting][hidden]').count())
  for (const name of ['Tunnel (exemple)', 'Coupure (exemple)']) is((await mine(hub, seller, name)).length === 1, `${name} is there more than once`)
  return p
}

// From «à emballer» to the buyer's four figures, and a wrong code on the way.
export async function byCode({ hub, browser, found, is, check }) {
  const s = await sold(hub, { seller: hub.demo.sellers[2] })
  const digits = (await ask(hub.base, 'GET', `/v1/orders/${s.order}`, { key: s.key })).delivery.code
  const p = await Person.sit(hub, browser, { who: await enter(hub, s.seller.phone) })
  await p.opens('/v')
  await p.taps(`a[href$="${s.order}"]`)
  await p.frame()
  await p.taps('form[action$="/accepter"] .btn.go')
  await p.sees('form[action$="/emballer"]')
  await p.taps('form[action$="/emballer"] .btn.go')
  await p.sees('form[action$="/remettre"]')
  await p.frame()
  await p.taps('label:has([name=qui][value=own])')
  await p.taps('form[action$="/remettre"] .btn.go')
  await p.sees('#f-code')
  check('handed over', p, { taps: 5, typed: 0 })
  p.fine.add(422)
  await p.types('#f-code', digits === '0000' ? '1111' : '0000')
  await p.taps('form[action$="/code"] .btn.go')
  await p.sees('.wrongs')
  await p.types('#f-code', digits)
  await p.taps('form[action$="/code"] .btn.go')
  await until('the right code', async () => ['delivered', 'completed'].includes(await state(hub, s)))
  await p.sees('p.done')
  found.delivered = { ...s, sellerWho: await p.context.storageState() }
  return p
}

// Whoever brings it has a link and no account; the code is typed where there is no
// network, and counts once.
export async function courier({ hub, browser, found, is }) {
  const s = await sold(hub, { seller: hub.demo.sellers[3] })
  const { code } = (await ask(hub.base, 'GET', `/v1/orders/${s.order}`, { key: s.key })).delivery
  const owner = await Person.sit(hub, browser, { who: await enter(hub, s.seller.phone) })
  const seller = { key: s.seller.api_key }
  await ask(hub.base, 'POST', `/v1/orders/${s.order}/accept`, seller)
  await ask(hub.base, 'POST', `/v1/orders/${s.order}/prepare`, seller)
  await ask(hub.base, 'POST', `/v1/orders/${s.order}/shipments`, { ...seller, body: { method: 'own' } })
  await owner.opens(`/v/colis/${s.order}`)
  await owner.taps('form[action$="/lien"] .btn')
  const link = await owner.find('#lien .address').innerText()
  await owner.frame()
  await owner.leaves()
  const p = await Person.sit(hub, browser)
  await p.opens(link)
  await p.sees('#f-code')
  await p.frame()
  await p.loses()
  await p.types('#f-code', code)
  await p.taps('form[action$="/code"] .btn.go')
  await p.sees('[data-waiting]:not([hidden])')
  is(await state(hub, s) === 'shipped', 'a code is taken without a network')
  is(p.n.taps <= 2, `bringing a parcel takes ${p.n.taps} taps`)
  await p.finds()
  await until('the code', async () => ['delivered', 'completed'].includes(await state(hub, s)))
  await p.tab.waitForTimeout(500)
  await p.opens(link)
  await p.sees('.done')
  const o = await ask(hub.base, 'GET', `/v1/orders/${s.order}`, { key: hub.demo.operator.api_key })
  is(o.shipments.length === 1, `${o.shipments.length} parcels are one`)
  found.brought = { link: new URL(link).pathname }
  return p
}

// Without scripts the whole of it by forms: on sale, packed, in cash.
export async function scriptless({ hub, browser, found, photo, is }) {
  const cash = await ask(hub.base, 'GET', `/v1/orders/${found.cash.order}`, { key: hub.demo.operator.api_key })
  const seller = hub.demo.sellers.find(s => s.organisation === cash.seller.id)
  const p = await Person.sit(hub, browser, { who: await enter(hub, seller.phone), js: false, lang: 'fr' })
  await p.opens('/v/vendre')
  p.fine.add(422)
  await p.types('#f-prix-0', '145')
  await p.types('#f-nom', 'Ancien téléphone (exemple)')
  await p.taps('.dock .btn.go')
  await p.sees('.wrongs')
  is(await p.find('#f-nom').inputValue() === 'Ancien téléphone (exemple)', 'what was typed is lost')
  await p.shows('#f-photo', photo)
  await p.taps('.dock .btn.go')
  await p.comes(/^\/v\/vendu\//)
  found.sold = { path: p.at(), who: await p.context.storageState() }
  is((await mine(hub, seller, 'Ancien téléphone (exemple)')).length === 1, 'it is not on sale')
  await p.opens(`/v/colis/${found.cash.order}`)
  for (const step of ['accepter', 'emballer']) await p.taps(`form[action$="/${step}"] .btn.go`)
  await p.sees('form[action$="/remettre"]')
  await p.taps('label:has([name=qui][value=own])')
  await p.taps('form[action$="/remettre"] .btn.go')
  await p.taps('form[action$="/encaisser"] .btn.go')
  await p.sees('.done')
  is(['delivered', 'completed'].includes(await state(hub, found.cash)), `the order is ${await state(hub, found.cash)}`)
  return p
}

// The seller answers a complaint with words; then it is the operator's.
export async function answers({ hub, browser, found }) {
  const s = found.disputed
  const p = await Person.sit(hub, browser, { lang: 'ar', who: await enter(hub, s.seller.phone) })
  await p.opens('/ar/v')
  await p.taps(`a[href$="${s.order}"]`)
  await p.frame()
  await p.types('#f-texte', 'نأسف لذلك.')
  await p.taps('button[value=parler]')
  await p.sees('#litige')
  found.answered = { ...s, sellerWho: await p.context.storageState() }
  return p
}
