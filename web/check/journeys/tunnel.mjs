// What a network that goes, or is none, does to those who sell and bring: nothing
// is lost, nothing is sent under another name, nothing is thrown away unsaid.
import { ask, code, enter, sold, until } from '../hub.mjs'
import { Person } from '../person.mjs'
import { mine, offer, state } from './sell.mjs'

const waits = '[data-waiting]:not([hidden])', nothing = '[data-waiting][hidden]'
const name = p => p.find('#f-nom').inputValue()
const pictured = async p => { await p.find('[data-preview][src]').waitFor({ state: 'attached' }); return p.tab.evaluate(() => document.querySelector('#f-photo').files.length === 1) }

// signs signs somebody in on the page that asks for it.
async function signs(p, hub, phone) {
  await p.comes(/\/entrer/)
  await p.types('[name=adresse]', phone)
  await p.taps('.btn.go')
  await p.sees('[name=code]')
  await p.types('[name=code]', await code(hub, phone))
  await p.taps('.btn.go')
}

// What is refused once the network is back is shown, with the reason, and can be
// mended and sent again, or thrown away.
export async function refused({ hub, browser, photo, is }) {
  const seller = hub.demo.sellers[8], p = await Person.sit(hub, browser, { who: await enter(hub, seller.phone) })
  p.fine.add(422)
  await p.opens('/v')
  await p.keeps()
  await p.loses()
  await p.taps('.btn.go')
  await offer(p, photo, 'Sans prix (exemple)')
  await p.types('#f-prix-0', '0')
  await p.taps('.dock .btn.go')
  await p.sees(waits)
  await p.finds()
  await p.sees(`${waits} [data-mend]:visible`)
  await p.opens('/v')
  await p.sees(`${waits} [data-mend]:visible`)
  is(/Sans prix/.test(await p.find('[data-what]').innerText()), 'what was refused has no name')
  is((await p.find('[data-why]').innerText()).length > 5, 'no reason is given')
  await p.frame()
  await p.taps('[data-mend]')
  await p.comes(/^\/v\/vendre$/)
  await p.sees('[data-drafted]:not([hidden])')
  is(await name(p) === 'Sans prix (exemple)' && await pictured(p), 'what was refused has to be made anew')
  await p.types('#f-prix-0', '120')
  await p.taps('.dock .btn.go')
  await p.comes(/^\/v\/vendu\//)
  is((await mine(hub, seller, 'Sans prix (exemple)')).length === 1, 'what was mended is not on sale once')
  await p.opens('/v')
  await p.loses()
  await p.taps('.btn.go')
  await offer(p, photo, 'À jeter (exemple)')
  await p.types('#f-prix-0', '0')
  await p.taps('.dock .btn.go')
  await p.sees(waits)
  await p.finds()
  await p.sees(`${waits} [data-mend]:visible`)
  await p.taps('[data-drop]')
  await p.sees(waits)
  await p.taps('[data-drop]')
  await p.find(nothing).waitFor({ state: 'attached' })
  return p
}

// A wrong code that was typed without a network is told to whoever brings it, and
// how many tries are left.
export async function wrongCode({ hub, browser, is }) {
  const s = await sold(hub, { seller: hub.demo.sellers[3] }), at = `/v1/orders/${s.order}`, key = s.seller.api_key
  const digits = (await ask(hub.base, 'GET', at, { key: s.key })).delivery.code
  for (const move of ['accept', 'prepare']) await ask(hub.base, 'POST', `${at}/${move}`, { key })
  await ask(hub.base, 'POST', `${at}/shipments`, { key, body: { method: 'own' } })
  const { shipments } = await ask(hub.base, 'GET', at, { key })
  const link = '/l/' + (await ask(hub.base, 'POST', `/v1/shipments/${shipments[0].id}/courier-links`, { key })).secret
  const p = await Person.sit(hub, browser)
  p.fine.add(422)
  await p.opens(link)
  await p.keeps()
  await p.loses()
  await p.types('#f-code', digits === '0000' ? '1111' : '0000')
  await p.taps('form[action$="/code"] .btn.go')
  await p.sees(waits)
  await p.tab.reload()
  await p.sees('[data-shell]')
  await p.sees(waits)
  is(!/panier/i.test(await p.text()), 'a courier reads of a basket')
  await p.finds()
  await p.sees(`${waits} [data-mend]:visible`)
  is(/4/.test(await p.find('[data-why]').innerText()), `the tries left are not told: ${await p.find('[data-why]').innerText()}`)
  await p.taps('[data-mend]')
  await p.sees('#f-code')
  await p.types('#f-code', digits)
  await p.taps('form[action$="/code"] .btn.go')
  await p.sees('.done')
  is(['delivered', 'completed'].includes(await state(hub, s)), `the order is ${await state(hub, s)}`)
  return p
}

// «Connected», and nothing comes through.
export async function connected({ hub, browser, photo, is }) {
  const seller = hub.demo.sellers[9], p = await Person.sit(hub, browser, { who: await enter(hub, seller.phone) })
  await p.opens('/v/vendre')
  await p.keeps()
  await offer(p, photo, 'Sans suite (exemple)')
  hub.wire.dead = true
  await p.taps('.dock .btn.go')
  await p.sees(waits)
  hub.wire.dead = false
  await p.opens('/v')
  await until('what waited', async () => (await mine(hub, seller, 'Sans suite (exemple)')).length)
  await p.find(nothing).waitFor({ state: 'attached' })
  is((await mine(hub, seller, 'Sans suite (exemple)')).length === 1, 'it is there more than once')
  return p
}

// A telephone that several use: what one left waiting is not the next one's, and is
// not lost when the first signs out.
export async function shared({ hub, browser, photo, is }) {
  const [first, other] = hub.demo.sellers.slice(10), p = await Person.sit(hub, browser, { who: await enter(hub, first.phone) })
  await p.opens('/v/vendre')
  await p.keeps()
  await offer(p, photo, 'À la première (exemple)')
  hub.wire.dead = true
  await p.taps('.dock .btn.go')
  await p.sees(waits)
  hub.wire.dead = false
  await p.taps('[data-leaves] button:first-child')
  await p.sees('[data-unsent]:not([hidden])')
  await p.frame()
  await p.taps('[name=garder][value="1"]')
  await p.comes(/^\/$/)
  await p.opens('/v')
  await signs(p, hub, other.phone)
  await p.comes(/^\/v$/)
  await p.tab.waitForTimeout(1500)
  is(await p.tab.locator(waits).count() === 0, 'another cooperative sees what waits')
  is((await mine(hub, other, 'À la première (exemple)')).length === 0, 'it is published under another name')
  await p.taps('[data-leaves] button:first-child')
  if (await p.tab.locator('[data-unsent]:not([hidden])').count()) await p.taps('[name=garder][value="1"]')
  await p.comes(/^\/$/)
  await p.opens('/v')
  await signs(p, hub, first.phone)
  await until('what waited', async () => (await mine(hub, first, 'À la première (exemple)')).length)
  return p
}

// A session that ends while one types: after signing in one goes on there.
export async function expired({ hub, browser, photo, is }) {
  const seller = hub.demo.sellers[12], p = await Person.sit(hub, browser, { who: await enter(hub, seller.phone) })
  p.fine.add(401)
  await p.opens('/v/vendre')
  await offer(p, photo, 'Reprise (exemple)')
  await p.context.clearCookies()
  await p.taps('.dock .btn.go')
  await signs(p, hub, seller.phone)
  await p.comes(/^\/v\/vendre$/)
  await p.sees('[data-drafted]:not([hidden])')
  is(await name(p) === 'Reprise (exemple)' && await pictured(p) && await p.find('#f-prix-0').inputValue() === '145', 'what was typed is lost')
  await p.taps('.dock .btn.go')
  await p.comes(/^\/v\/vendu\//)
  return p
}

// «Partager» from another program, before one has signed in: the photograph and the
// words are on the screen to sell.
export async function shares({ hub, browser, photo, is }) {
  const seller = hub.demo.sellers[13], p = await Person.sit(hub, browser)
  await p.opens('/aide')
  await p.keeps()
  const manifest = await (await fetch(hub.base + '/manifest.webmanifest')).json()
  is(JSON.stringify(manifest.shortcuts.map(s => s.url)) === '["/v/vendre","/v/colis","/v/argent"]', `the shortcuts are ${manifest.shortcuts.map(s => s.url)}`)
  const { action, params } = manifest.share_target
  await p.tab.reload()
  await p.tab.evaluate(([to, files, title]) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action: to, enctype: 'multipart/form-data' })
    form.innerHTML = `<input type="file" name="${files}" id="given"><input name="${title}" value="Partagé (exemple)"><button id="gives">x</button>`
    document.querySelector('main').append(form)
  }, [action, params.files[0].name, params.title])
  await p.shows('#given', photo)
  await p.taps('#gives')
  await signs(p, hub, seller.phone)
  await p.comes(/^\/v\/vendre$/)
  await p.find('[data-preview][src^="blob:"]').waitFor()
  is(await name(p) === 'Partagé (exemple)' && await pictured(p), 'what was shared is lost')
  await p.types('#f-prix-0', '90')
  await p.taps('.dock .btn.go')
  await p.comes(/^\/v\/vendu\//)
  is((await mine(hub, seller, 'Partagé (exemple)')).length === 1, 'it is not on sale')
  return p
}
