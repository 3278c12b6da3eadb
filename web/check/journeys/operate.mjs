// The operators: two people, each with a passkey, who work with keys alone.
import { ask, code, until } from '../hub.mjs'
import { Person } from '../person.mjs'

// desk signs somebody in to a desk by keys, code and passkey. The
// device's own passkey is Chromium's virtual one.
export async function desk(hub, browser, who, lang = 'fr', home = '/op') {
  const p = await Person.sit(hub, browser, { width: 1280, lang })
  const at = path => (lang === 'fr' ? '' : `/${lang}`) + path
  const device = await p.context.newCDPSession(p.tab)
  await device.send('WebAuthn.enable')
  await device.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
  p.fine.add(403)
  await p.opens(at(home))
  await p.walks('[name=adresse]')
  await p.write(who.phone)
  await p.follows('Enter')
  await p.walks('[name=code]')
  await p.write(await code(hub, who.phone))
  await p.follows('Enter')
  for (const act of ['ajouter', 'montrer']) { // a passkey is made, and shown
    if (await p.tab.locator(`[data-passkey=${act}] button`).count() === 0) continue
    await p.walks(`[data-passkey=${act}] button`)
    await p.follows('Enter')
  }
  await p.comes(new RegExp(`^${at(home)}$`))
  await p.sees('.side')
  p.fine.clear()
  p.begins()
  return p
}

// goes presses Tab to a line of the side list, and opens it.
async function goes(p, path) {
  await p.walks(`.side a[href$="${path}"]`)
  await p.follows('Enter')
}

// first opens the first row, or the one with a text.
async function first(p, holds) {
  const rows = p.tab.locator('main [data-row]:has(a)')
  const all = await rows.allInnerTexts()
  const n = holds ? all.findIndex(t => t.includes(holds)) : 0
  if (n < 0) throw new Error(`no row holds ${holds}: ${all.join(' | ')}`)
  for (let i = 0; i <= n; i++) await p.press('j')
  await p.follows('Enter')
}

// rib is an account's number with the key that fits.
const rib = digits => digits + String(97n - BigInt(digits) * 100n % 97n).padStart(2, '0')

// waits brings about what waits for people: a break, and a payout of somebody
// else; the complaint is the buyer's.
export async function waits({ hub, browser, found, is }) {
  const key = hub.demo.operator.api_key
  await ask(hub.sim, 'POST', '/bank/credits', { body: { amount: '7.00', text: 'don', name: 'DONATEUR EXEMPLE', notify: true } })
  const carrier = await until('what a carrier earned', async () => (await ask(hub.base, 'GET', '/v1/ledger/trial-balance', { key })).accounts.find(a => a.code.startsWith('payable:carrier:') && a.credit !== '0.00'), 60000)
  const payout = await until('the payout', () => ask(hub.base, 'POST', '/v1/payouts', {
    key, body: { beneficiary: carrier.code.replace('payable:', ''), amount: { amount: '5.00', currency: 'MAD' }, account: { rib: rib('2307800000000000000011'), holder: 'Transport (exemple)' } },
  }).catch(e => { if (!/ 409 | 422 /.test(e.message)) throw e }), 60000)
  const brk = await until('the break', async () => (await ask(hub.base, 'GET', '/v1/breaks?state=open&limit=50', { key })).data.find(b => b.amount?.amount === '7.00'), 60000)
  Object.assign(found, { brk: brk.id, payout: payout.id })
  const p = await desk(hub, browser, hub.demo.second_operator)
  // The list of partners is asked for anew by itself.
  const fresh = p.tab.waitForResponse(r => r.url().endsWith('/op/disjoncteurs'), { timeout: 20000 })
  await p.opens('/op')
  is((await fresh).ok(), 'the list of partners is not asked for anew')
  await p.tab.waitForTimeout(300)
  is(await p.tab.locator('[hx-get] table').count() === 1, 'the list of partners is gone')
  found.operator = { desk: p, who: await p.context.storageState() }
  return p
}

// A break, a complaint and a payout, by keys alone.
export async function exceptions({ hub, found, is, check }) {
  const key = hub.demo.operator.api_key, p = found.operator.desk
  await p.opens('/entrer/encore?vers=/op') // looking at all pages may have taken more than ten minutes
  await p.walks('[data-passkey=montrer] button')
  await p.follows('Enter')
  await p.comes(/^\/op$/)

  p.begins()
  await goes(p, '/op/rapprochement')
  await first(p, '7,00')
  await p.press('n')
  await p.write('Un don (exemple).')
  await p.walks('details[data-letter=n] .btn')
  await p.follows('Enter')
  await p.sees('.done')
  is((await ask(hub.base, 'GET', `/v1/breaks/${found.brk}`, { key })).state === 'resolved', 'the break is not resolved')
  check('a break resolved', p, { taps: 0, presses: 60 })

  p.begins()
  await goes(p, '/op/litiges')
  await first(p)
  const d = await ask(hub.base, 'GET', `/v1/disputes/${found.dispute}`, { key })
  const held = (await ask(hub.base, 'GET', `/v1/orders/${d.order}`, { key })).escrow.held.amount
  await p.walks('[name=refund]')
  await p.write('10,00')
  await p.walks('[name=release]')
  await p.write((Number(held) - 10).toFixed(2).replace('.', ','))
  await p.walks('[name=reason]')
  await p.write('Le pot est cassé.')
  await p.walks('[name=voir]')
  await p.follows('Enter')
  await p.sees('.legs')
  await p.walks('.act .btn.go', 80)
  await p.follows('Enter')
  await p.sees('.done')
  is((await ask(hub.base, 'GET', `/v1/disputes/${found.dispute}`, { key })).state === 'resolved', 'the complaint is not ruled on')
  check('a complaint ruled on', p, { taps: 0, presses: 120 })

  p.begins()
  await goes(p, '/op/versements')
  await first(p, '5,00')
  await p.walks('.act .btn.go')
  await p.follows('Enter')
  await p.sees('.done')
  const held2 = (await ask(hub.base, 'GET', `/v1/payouts/${found.payout}`, { key })).waits?.some(w => w.code === 'second_person')
  is(!held2, 'the payout still waits for a second person')
  check('a payout approved', p, { taps: 0, presses: 60 })
  return p
}
