// An insurer's people, who work at the partners' desk with a passkey, and what
// members have insured.
import { ask, sold, until } from '../hub.mjs'
import { desk } from './operate.mjs'

const dh = amount => ({ amount, currency: 'MAD' })
const said = (fr, ar, en) => ({ fr, ar, en })

// insures puts insurances on the stage: a price, a policy, claims that wait, that
// are asked about, accepted and rejected, and products that wait to be read.
export async function insures(hub, found) {
  const insurer = hub.demo.insurer.api_key, operator = hub.demo.operator.api_key
  const post = (key, path, body) => ask(hub.base, 'POST', path, { key, body })
  const get = (key, path) => ask(hub.base, 'GET', path, { key })
  const s = hub.demo.sellers[0], key = s.api_key
  const offers = {}
  await until('the insurer’s products', async () => {
    for (const p of (await get(operator, '/v1/insurance/products?limit=100')).data) {
      if (p.state === 'offered' && p.source === 'insurer' && p.line !== 'health') await post(operator, `/v1/insurance/products/${p.id}/approve`).catch(() => {})
      if (p.state === 'approved') offers[p.line] = p.id
    }
    return offers.stock && offers.crop && offers.parcel
  }, 120000)
  const order = await sold(hub, { seller: s })
  await post(key, `/v1/orders/${order.order}/accept`)
  await post(key, `/v1/orders/${order.order}/ship`, { carrier: 'Messagerie exemple', tracking: 'EX-INS' })
  await post(order.key, `/v1/orders/${order.order}/receive`)
  const priced = async () => {
    const { id } = await post(key, '/v1/insurance/quotes', { product: offers.stock, sum: dh('10000.00'), months: 12 })
    return until('a price', async () => { const q = await get(key, `/v1/insurance/quotes/${id}`); return q.state === 'open' && q }, 120000)
  }
  const q = await priced()
  const agreed = { quote: q.id, consent: { lang: q.consents[0].lang, text_hash: q.consents[0].text_hash } }
  const policy = await until('money that can pay a premium', () => post(key, '/v1/insurance/policies', agreed).catch(e => { if (!/premiums\./.test(e.message)) throw e }), 180000)
  const bound = await until('the policy', async () => { const p = await get(key, `/v1/insurance/policies/${policy.id}`); return p.state === 'active' && p.number && p }, 120000)
  const declares = (type, amount, description) => post(key, '/v1/insurance/claims', { policy: policy.id, event_at: bound.starts, type, description, amount: dh(amount), evidence: [] })
  const answers = (c, body) => post(insurer, `/v1/insurance/claims/${c.id}/answer`, body)
  const told = c => until('the insurer to have it', async () => (await get(key, `/v1/insurance/claims/${c.id}`)).told, 120000)
  const fresh = await declares('water', '900.00', 'Le toit de l’atelier a fui pendant la nuit.')
  const asked = await declares('theft', '1250.00', 'Deux tapis ont disparu de la réserve.')
  const accepted = await declares('fire', '600.00', 'Un ballot de laine a brûlé.')
  const rejected = await declares('damage', '300.00', 'Un métier à tisser est cassé.')
  for (const c of [fresh, asked, accepted, rejected]) await told(c)
  await answers(asked, { state: 'review', asks: ['inventory', 'report'] })
  await answers(accepted, { state: 'accepted', amount: dh('450.00'), transfer_ref: 'VIR0001' + Date.now() })
  await answers(rejected, { state: 'rejected', reason: 'L’usure normale n’est pas couverte.' })
  const sheet = (lang, h) => ({ kind: 'information_sheet', lang, url: `https://assureur.example/fiche-${lang}.pdf`, sha256: h.repeat(64) })
  const written = await post(insurer, '/v1/insurance/products', {
    code: 'atelier-1', line: 'stock', names: said('Assurance de l’atelier (exemple)', 'تأمين الورشة (مثال)', 'Workshop insurance (example)'),
    covers: [said('Incendie de l’atelier', 'حريق الورشة', 'Fire in the workshop'), said('Vol avec effraction', 'السرقة مع الكسر', 'Burglary')], exclusions: [said('L’usure normale', 'التآكل العادي', 'Normal wear')],
    premium: { rate_permille: 12, period: 'year' }, most: dh('80000.00'), excess: dh('500.00'), waiting_days: 15, cooling_off_days: 14, commission_permille: 100, papers: ['photo', 'invoice'], documents: [sheet('fr', 'a'), sheet('ar', 'b')],
  })
  await post(operator, '/v1/insurance/statements', { insurer: written.insurer, period: new Date().toISOString().slice(0, 7) }).catch(() => {})
  found.insured = { product: offers.stock, crop: offers.crop, parcel: offers.parcel, quote: (await priced()).id, used: q.id, policy: policy.id, fresh: fresh.id, asked: asked.id, accepted: accepted.id, rejected: rejected.id, written: written.id }
}

// insurerOfficer sits down at the desk.
export async function insurerOfficer(hub, browser, found) {
  const p = await desk(hub, browser, hub.demo.insurer, 'fr', '/b')
  found.insurerOfficer = { who: await p.context.storageState() }
  await p.leaves()
}
