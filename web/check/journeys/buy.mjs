// Buyers: new and known ones, by card, by wallet and in cash, without scripts, and
// with a thumb that presses twice.
import { ask, code, sold, until } from '../hub.mjs'
import { Person } from '../person.mjs'

const card = { pan: '4000000000000010', expiry: '12/29', cvv: '000' }

// approve goes through the bank's own pages, which are not ours to count.
async function approve(p, { twice = false } = {}) {
  await p.tab.waitForURL(u => u.origin === p.hub.sim)
  for (const [name, text] of Object.entries(card)) await p.tab.fill(`[name=${name}]`, text)
  await p.tab.click('button[type=submit]')
  await p.tab.fill('#otp', '123456')
  await p.tab.locator('form button').first()[twice ? 'dblclick' : 'click']()
  await p.tab.waitForURL(u => u.origin === p.hub.base || u.pathname.endsWith('/3ds'))
  if (p.tab.url().startsWith(p.hub.sim)) await p.tab.click('form button')
  await p.tab.waitForURL(u => u.origin === p.hub.base)
}

const newcomer = { telephone: '0612345678', nom: 'Fatima Exemple', commune: 'Fès', adresse: '12, derb Exemple' }

async function fills(p, who = newcomer) {
  for (const [name, text] of Object.entries(who)) await p.types(`[name=${name}]`, text)
}

// chooses goes from the market to the till, by what is typed or by a category.
async function chooses(p, path = '/?category=oils') {
  await p.opens(path)
  await p.taps('.card')
  await p.taps('button[value=acheter]')
  await p.sees('form.till')
}

const order = p => p.at().match(/ord_[a-z0-9]+/)[0]

// A stranger looks for oil, buys it by card and says that it came.
export async function stranger({ hub, browser, found, is, check }) {
  const p = await Person.sit(hub, browser)
  await p.opens('/')
  await p.types('.search input', 'huile argane')
  await p.taps('.search button')
  await p.taps('.card')
  await p.taps('button[value=acheter]')
  await p.frame()
  const before = p.n.fields
  await fills(p)
  is(p.n.fields - before <= 4, `${p.n.fields - before} fields are typed to buy`)
  await p.taps('button[value=payer]')
  await approve(p)
  await p.comes(/^\/o\//, { ms: 60000 })
  await until('the code', async () => { await p.tab.reload(); return p.tab.locator('.handover .code').count() })
  await p.frame()
  check('bought', p, { down: 300 * 1024, taps: 6 })
  const { seller } = await ask(hub.base, 'GET', `/v1/orders/${order(p)}`, { key: hub.demo.operator.api_key })
  const key = hub.demo.sellers.find(s => s.organisation === seller.id).api_key
  for (const [move, body] of [['accept'], ['ship', { carrier: 'Messagerie (exemple)', tracking: 'EX-1' }]]) await ask(hub.base, 'POST', `/v1/orders/${order(p)}/${move}`, { key, body })
  await p.opens(`/o/${order(p)}`)
  await p.taps('form[action$="/recu"] .btn.go')
  await p.sees('.done')
  found.received = { who: await p.context.storageState(), order: order(p) }
  return p
}

// Who bought before, and pays by wallet, needs four taps and types nothing.
export async function known({ hub, browser, is, check }) {
  const p = await Person.sit(hub, browser)
  const approves = () => until('the request on the telephone', () => ask(hub.sim, 'POST', '/wallet/phone', { body: { phone: newcomer.telephone, pin: '1234' } }).then(() => true, () => false))
  const buys = async () => {
    await p.opens('/')
    await p.taps('.card')
    await p.taps('button[value=acheter]')
  }
  await buys()
  await fills(p)
  await p.taps('label:has([name=payer][value=wallet])')
  await p.taps('button[value=payer]')
  await p.comes(/^\/g\//)
  await approves()
  await p.comes(/^\/o\//, { ms: 60000 })
  p.begins()
  await buys()
  await p.frame()
  is(await p.tab.locator('[name=payer][value=wallet]').isChecked(), 'how one paid is not remembered')
  await p.taps('button[value=payer]')
  await p.comes(/^\/g\//)
  p.n.taps++ // on the telephone: approve
  await approves()
  await p.comes(/^\/o\//, { ms: 60000 })
  check('bought again', p, { taps: 4, typed: 0, down: 300 * 1024 })
  return p
}

// A thumb that presses twice, a form that is sent twice, a bank's key that is
// pressed twice: one order, one charge.
export async function twice({ hub, browser, found, is }) {
  const p = await Person.sit(hub, browser)
  await chooses(p)
  await fills(p)
  const form = await p.tab.evaluate(() => {
    const f = document.querySelector('form.till'), all = new URLSearchParams(new FormData(f))
    all.set('faire', 'payer')
    return all.toString()
  })
  await p.find('button[value=payer]').dblclick()
  await p.tab.waitForURL(u => u.origin === hub.sim)
  p.fine.add(409)
  const again = await Promise.all([1, 2, 3].map(() => p.context.request.post(hub.base + '/panier', {
    data: form, headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: hub.base }, maxRedirects: 0,
  }).then(r => r.status())))
  is(again.every(s => s < 500), `a form that comes again is answered ${again}`)
  await approve(p, { twice: true })
  await p.comes(/^\/o\//, { ms: 60000 })
  const id = order(p)
  const o = await ask(hub.base, 'GET', `/v1/orders/${id}`, { key: hub.demo.operator.api_key })
  const charges = (await ask(hub.base, 'GET', `/v1/charges?order=${id}`, { key: hub.demo.operator.api_key })).data
  is(charges.length === 1, `two presses make ${charges.length} charges`)
  const truth = JSON.stringify(await ask(hub.sim, 'GET', `/truth?ref=${charges[0].ref}`))
  is(truth.split('"captured"').length <= 2, `the acquirer's truth: ${truth.slice(0, 300)}`)
  await p.opens('/moi')
  is(await p.tab.locator('.orders li').count() === 1, 'two presses make two orders')
  await p.opens(`/g/${o.group || o.order_group}`)
  is(await p.tab.locator('[data-send]').count() === 0, 'what is paid can be paid again')
  found.disputed = { who: await p.context.storageState(), order: id }
  return p
}

// In Arabic, on a narrow screen, paid at the door; from there it is the seller's.
export async function atTheDoor({ hub, browser, found, is }) {
  const p = await Person.sit(hub, browser, { lang: 'ar' })
  await chooses(p, '/ar?category=honey')
  is(await p.tab.evaluate(() => document.documentElement.dir) === 'rtl', 'the page does not run from right to left')
  await p.frame()
  await fills(p, { ...newcomer, nom: 'فاطمة (مثال)', commune: 'فاس', adresse: 'درب المثال، 12' })
  await p.taps('label:has([name=payer][value=cash_on_delivery])')
  await p.taps('button[value=payer]')
  await p.comes(/^\/ar\/o\//)
  found.cash = { who: await p.context.storageState(), order: order(p) }
  await p.taps('form[action$="/confirmer"] .btn.go')
  await p.sees('.done')
  await p.frame()
  return p
}

// An old telephone runs no scripts: each form works, and what has to be looked at
// again has a key for it.
export async function scriptless({ hub, browser, is }) {
  const p = await Person.sit(hub, browser, { js: false })
  await p.opens('/')
  await p.types('.search input', 'miel')
  await p.taps('.search button')
  await p.taps('.card')
  await p.taps('button[value=acheter]')
  p.fine.add(422)
  await fills(p, { telephone: '06', nom: 'Fatima Exemple', commune: 'Fès', adresse: '12, derb Exemple' })
  await p.taps('button[value=payer]')
  await p.sees('.wrongs')
  is(await p.find('[name=nom]').inputValue() === 'Fatima Exemple', 'what was typed is lost')
  await p.types('[name=telephone]', newcomer.telephone)
  await p.taps('button[value=payer]')
  await p.taps('form[data-send] .btn.go')
  await approve(p)
  const end = Date.now() + 60000
  while (!/^\/o\//.test(p.at())) {
    if (Date.now() > end) throw new Error('the payment is not seen')
    await p.taps('[data-again-at]')
    await p.tab.waitForTimeout(500)
  }
  await p.sees('.steps')
  return p
}

// Somebody is told by SMS, opens the link on another telephone, and signs in.
export async function signsIn({ hub, browser, is }) {
  const p = await Person.sit(hub, browser)
  const phone = '+212661000099'
  await p.opens('/moi')
  await p.comes(/^\/entrer/)
  await p.types('[name=adresse]', '0661000099')
  await p.taps('.btn.go')
  await p.sees('[name=code]')
  await p.types('[name=code]', await code(hub, phone))
  await p.taps('.btn.go')
  await p.comes(/^\/moi/)
  is(p.n.taps === 2 && p.n.fields === 2, `signing in takes ${p.n.taps} taps and ${p.n.fields} fields`)
  return p
}

// Whoever has an order's money held says that something is wrong, with a picture.
export async function complains({ hub, browser, found, photo, is }) {
  const s = found.disputed ?? await sold(hub)
  const p = await Person.sit(hub, browser, { who: s.who })
  await p.opens(`/o/${s.order}`)
  await p.taps('a[href$="/probleme"]')
  await p.frame()
  await p.taps('label:has([value=damaged])')
  await p.taps('label:has([value=partial_refund])')
  await p.types('[name=texte]', 'Le pot est cassé.')
  await p.shows('[name=photo]', photo)
  await p.taps('.btn.go')
  await p.sees('#probleme')
  is(p.n.taps <= 5, `saying that something is wrong takes ${p.n.taps} taps`)
  await p.frame()
  const o = await ask(hub.base, 'GET', `/v1/orders/${s.order}`, { key: hub.demo.operator.api_key })
  found.dispute = o.case?.id
  is(!!found.dispute, 'no dispute is open')
  found.disputed = { ...s, seller: hub.demo.sellers.find(x => x.organisation === o.seller.id) }
  return p
}
