// A bank's officer, who works at the partners' desk with a passkey, and what
// members have asked of the bank.
import { ask } from '../hub.mjs'
import { desk } from './operate.mjs'

const dh = amount => ({ amount, currency: 'MAD' })
const said = (fr, ar, en) => ({ fr, ar, en })

// lends puts products and applications on the stage: one to answer, one that waits
// for papers, one that is offered, one that is granted, and a draft.
export async function lends(hub, found) {
  const bank = hub.demo.bank.api_key, operator = hub.demo.operator.api_key
  const post = (key, path, body) => ask(hub.base, 'POST', path, { key, body })
  const sections = ['identity', 'financial']
  const loan = {
    kind: 'loan', names: said('Crédit équipement de l’atelier (exemple)', 'قرض تجهيز الورشة (مثال)', 'Workshop equipment loan (example)'), sections,
    terms: said('Remboursé chaque mois. Premier mois sans paiement. Sans frais cachés.', 'يسدد كل شهر. الشهر الأول دون أداء. دون مصاريف خفية.', 'Repaid each month. The first month is free. No hidden fees.'),
    least: dh('5000.00'), most: dh('100000.00'), shortest: 6, longest: 60, rate: '6.5',
  }
  const account = { kind: 'account', names: said('Compte de la coopérative (exemple)', 'حساب التعاونية (مثال)', 'Cooperative’s account (example)'), sections: ['identity'], terms: said('Sans frais la première année.', 'دون مصاريف في السنة الأولى.', 'No fees in the first year.') }
  const published = async of => {
    const { product } = await post(bank, '/v1/finance/products', of)
    await post(bank, `/v1/finance/products/${product}/submit`)
    await post(operator, `/v1/finance/products/${product}/publish`, { version: 1 })
    return product
  }
  const product = await published(loan)
  await published(account)
  const draft = (await post(bank, '/v1/finance/products', { ...loan, names: said('Crédit de campagne (exemple)', 'قرض الموسم (مثال)', 'Season loan (example)') })).product
  const s = hub.demo.sellers[0], key = s.api_key
  await post(key, `/v1/organisations/${s.organisation}/dossier`, { section: 'financial', title: 'Bilan de l’an dernier', form: { ventes: '48200.00', charges: '31500.00' } })
  const applied = async () => post(key, '/v1/finance/applications', { product, amount: dh('20000.00'), months: 24, purpose: 'Un métier à tisser plus large.', sections, days: 90 })
  const handed = async () => {
    const a = await applied()
    return post(key, `/v1/finance/applications/${a.id}/submit`, { digest: a.agree.digest })
  }
  const does = (by, a, step, body) => post(by, `/v1/finance/applications/${a.id}/${step}`, body)
  const offer = { amount: dh('20000.00'), rate: '7.25', months: 24, fees: dh('150.00'), terms: 'Première mensualité dans deux mois.', valid_until: new Date(Date.now() + 20 * 86400000).toISOString() }
  const [fresh, asked, offered, granted] = [await handed(), await handed(), await handed(), await handed()]
  for (const a of [asked, offered, granted]) await does(bank, a, 'review')
  await does(bank, asked, 'ask', { text: 'Combien avez-vous vendu l’an dernier ?', sections: ['production'] })
  for (const a of [offered, granted]) await does(bank, a, 'offer', offer)
  await does(key, granted, 'accept')
  await does(bank, granted, 'complete', { rib: '001810007800020110620318', holder: 'Coopérative (exemple)' })
  const drafted = await applied()
  found.lent = { product, draft, fresh: fresh.id, asked: asked.id, offered: offered.id, granted: granted.id, drafted: drafted.id }
}

// officer sits down at the bank's desk, and the registrar's at an office's.
export async function officer(hub, browser, found) {
  for (const [who, home, name] of [[hub.demo.bank, '/b', 'officer'], [hub.demo.institutions[0], '/i', 'registrar']]) {
    const p = await desk(hub, browser, who, 'fr', home)
    found[name] = { who: await p.context.storageState() }
    await p.leaves()
  }
}
