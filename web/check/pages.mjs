// The pages that are checked: where each is, who sees it, and what it may weigh
// on a first visit (transfer size in KB of 1,024 bytes, requests).
const budget = { list: [110, 12], product: [85, 7], form: [50, 6], seller: [65, 9], goods: [65, 14], op: [75, 10], dev: [400, 60] }

// sheet is a seller's table whose words for categories are its own.
const sheet = 'Référence;Catégorie;Désignation;Prix;Stock;Commune\n' +
  'Z1;Zit argan;Argan (exemple);30;5;Erfoud\nM1;Merveilles;Confit (exemple);20;4;Erfoud\nT1;Tapis;Tapis (exemple);gratuit;4;Erfoud\n'

// pages makes the list for a running demonstration. `found` is what the journeys
// left behind; pages of what none left are not checked.
export function pages(found) {
  const shop = (name, path, kind, more) => ({ name, path, kind, desk: 'shop', ...more })
  const seller = (name, path, kind = 'seller', more) => ({ name, path, kind, desk: 'seller', who: found.who.seller, ...more })
  const op = (name, path, more) => ({ name, path, kind: 'op', desk: 'op', who: found.operator?.who, ...more })
  const bank = (name, path, more) => ({ name, path, kind: 'op', desk: 'op', who: found.officer?.who, ...more })
  const insurer = (name, path, more) => ({ name, path, kind: 'op', desk: 'op', who: found.insurerOfficer?.who, ...more })
  const f = new Proxy(found, { get: (o, k) => o[k] ?? {} })
  const all = [
    shop('market', '/', 'list'),
    shop('found', '/?q=tapis', 'list'),
    shop('nothing', '/?q=xylophone', 'form'),
    shop('product', `/p/${found.offer}`, 'product'),
    shop('narrowed', '/?region=MA-09&sort=price', 'list'),
    shop('basket', '/panier', 'form'),
    shop('till', `/p/${found.offer}`, 'form', { after: [['click', 'button[value=acheter]']] }),
    shop('till after errors', `/p/${found.offer}`, 'form', { after: [['click', 'button[value=acheter]'], ['fill', '[name=telephone]', '06'], ['fill', '[name=nom]', 'X'], ['fill', '[name=commune]', 'Nulle part'], ['fill', '[name=adresse]', '1'], ['click', 'button[value=payer]']], status: 422 }),
    shop('to pay', `/g/${f.transfer.group}`, 'form', { who: f.transfer.who }),
    shop('order', `/o/${f.waiting.order}`, 'form', { who: f.waiting.who }),
    shop('order received', `/o/${f.received.order}`, 'form', { who: f.received.who }),
    shop('order disputed', `/o/${f.disputed.order}`, 'form', { who: f.disputed.who }),
    shop('problem', `/o/${f.waiting.order}/probleme`, 'form', { who: f.waiting.who }),
    shop('return', `/o/${f.received.order}/retour`, 'form', { who: f.received.who }),
    shop('enter', '/entrer', 'form'),
    shop('code', '/entrer', 'form', { after: [['fill', '[name=adresse]', '0661000098'], ['click', '.btn.go']] }),
    shop('enter again', '/entrer/encore', 'form', { who: found.who.buyer }),
    shop('help', '/aide', 'form'),
    shop('offline', '/hors-ligne', 'form'),
    { name: 'offline seller', path: '/hors-ligne/v', kind: 'seller', desk: 'seller' },
    { name: 'offline sell', path: '/hors-ligne/vendre', kind: 'seller', desk: 'seller' },
    { name: 'offline courier', path: '/hors-ligne/l', kind: 'seller', desk: 'courier' },
    shop('lost', '/nowhere', 'form', { status: 404 }),
    shop('cooperative', `/c/${found.seller}`, 'list'),
    shop('directory', '/annuaire', 'list'),
    shop('directory narrowed', '/annuaire?region=MA-09&kind=beneficiary_coop&q=cooperative', 'list'),
    shop('directory without anybody', '/annuaire?q=xylophone', 'form'),
    shop('member in the directory', `/annuaire/${found.seller}`, 'list'),
    shop('mine', '/moi', 'form', { who: found.who.buyer }),
    shop('data of mine', '/moi/donnees', 'form', { who: found.who.buyer }),
    shop('data register', '/donnees-personnelles', 'form'),
    seller('day', '/v'),
    seller('sell', '/v/vendre'),
    seller('sell after errors', '/v/vendre', 'seller', { after: [['fill', '#f-prix-0', '0'], ['click', '.dock .btn.go']], status: 422 }),
    seller('sold', f.sold.path, 'seller', { who: f.sold.who }),
    seller('goods', '/v/produits', 'goods'),
    seller('import', '/v/produits/importer'),
    seller('import looked at', '/v/produits/importer', 'seller', { after: [['file', '#f-fichier', sheet], ['click', '.btn.go']] }),
    seller('import after errors', '/v/produits/importer', 'seller', { after: [['file', '#f-fichier', 'Machin;Truc;Nom\n1;2;3\n'], ['click', '.btn.go']], status: 422 }),
    seller('money', '/v/argent'),
    seller('withdraw', '/v/argent/retirer'),
    seller('papers', '/v/papiers'),
    seller('in the directory', '/v/annuaire'),
    seller('shown in the directory', '/v/annuaire/phone'),
    seller('shown after errors', '/v/annuaire/phone', 'seller', { after: [['fill', '[name=valeur]', '12'], ['click', '.btn.go']], status: 422 }),
    seller('parcels', '/v/colis'),
    seller('bank', '/v/papiers/banque'),
    seller('parcel', `/v/colis/${f.waiting.order}`, 'seller', { who: f.waiting.sellerWho }),
    seller('parcel delivered', `/v/colis/${f.delivered.order}`, 'seller', { who: f.delivered.sellerWho }),
    seller('parcel disputed', `/v/colis/${f.answered.order}`, 'seller', { who: f.answered.sellerWho }),
    seller('label', `/v/colis/${f.waiting.order}/etiquette`, 'seller', { who: f.waiting.sellerWho }),
    seller('services', '/v/services'),
    seller('service', `/v/services/${f.lent.product}`),
    seller('service after errors', `/v/services/${f.lent.product}`, 'seller', { after: [['fill', '[name=somme]', '4000'], ['fill', '[name=mois]', '24'], ['click', '.btn.go']], status: 422 }),
    seller('application drafted', `/v/services/${f.lent.drafted}`),
    seller('application asked', `/v/services/${f.lent.asked}`),
    seller('application offered', `/v/services/${f.lent.offered}`),
    seller('application granted', `/v/services/${f.lent.granted}`),
    seller('insurance', `/v/services/${f.insured.product}`),
    seller('insurance by an index', `/v/services/${f.insured.crop}`),
    seller('insurance of a parcel', `/v/services/${f.insured.parcel}?vente=${f.waiting.order}`, 'seller', { who: f.waiting.sellerWho }),
    seller('insurance after errors', `/v/services/${f.insured.product}`, 'seller', { after: [['fill', '[name=somme]', '0'], ['click', '.btn.go']], status: 422 }),
    seller('insurance price', `/v/services/${f.insured.quote}`),
    seller('insurance price after errors', `/v/services/${f.insured.quote}`, 'seller', { after: [['click', '.btn.go']], status: 422 }),
    seller('insurance price used', `/v/services/${f.insured.used}`),
    seller('insurance policy', `/v/services/${f.insured.policy}`),
    seller('insurance declare', `/v/services/${f.insured.policy}?declarer=1`),
    seller('insurance declare after errors', `/v/services/${f.insured.policy}?declarer=1`, 'seller', { after: [['fill', '[name=somme]', '0'], ['click', '.btn.go']], status: 422 }),
    seller('insurance claim', `/v/services/${f.insured.fresh}`),
    seller('insurance claim asked', `/v/services/${f.insured.asked}`),
    seller('insurance claim accepted', `/v/services/${f.insured.accepted}`),
    seller('insurance claim rejected', `/v/services/${f.insured.rejected}`),
    seller('check-ups', '/v/diagnostic'),
    seller('check-up', `/v/diagnostic/${f.checked.open}`),
    seller('check-up of several', `/v/diagnostic/${f.checked.open}?q=shown`),
    seller('check-up after errors', `/v/diagnostic/${f.checked.open}?q=orders`, 'seller', { after: [['fill', '[name=nombre]', 'x'], ['click', '.btn.go']], status: 422 }),
    seller('check-up result', `/v/diagnostic/${f.checked.done}`, 'seller', { who: f.checked.who }),
    insurer('insurer inbox', '/b'),
    insurer('insurer inbox empty', '/b?etat=paid'),
    insurer('insurer claim', `/b/d/${f.insured.fresh}`),
    insurer('insurer claim after errors', `/b/d/${f.insured.fresh}`, { after: [['fill', '[name=accept_amount]', '0'], ['click', '.btn.go']], status: 422 }),
    insurer('insurer claim asked', `/b/d/${f.insured.asked}`),
    insurer('insurer claim accepted', `/b/d/${f.insured.accepted}`),
    insurer('insurer products', '/b/produits'),
    insurer('insurer product', `/b/produits/${f.insured.written}?carte=ar`),
    insurer('insurer product of its system', `/b/produits/${f.insured.product}`),
    insurer('insurer product new', '/b/produits/nouveau'),
    insurer('insurer contracts', '/b/contrats'),
    insurer('insurer policy', `/b/d/${f.insured.policy}`),
    bank('bank inbox', '/b'),
    bank('bank inbox empty', '/b?etat=refused'),
    bank('bank file', `/b/d/${f.lent.fresh}`),
    bank('bank papers', `/b/d/${f.lent.offered}?papiers=1`),
    bank('bank file asked', `/b/d/${f.lent.asked}`),
    bank('bank file granted', `/b/d/${f.lent.granted}`),
    bank('bank products', '/b/produits'),
    bank('bank product', `/b/produits/${f.lent.draft}?carte=ar`),
    bank('bank product new', '/b/produits/nouveau?genre=account'),
    bank('bank contracts', '/b/contrats'),
    bank('bank team', '/b/equipe'),
    { name: 'courier', path: f.onItsWay.link, kind: 'seller', desk: 'courier' },
    { name: 'brought', path: f.brought.link, kind: 'seller', desk: 'courier' },
    op('today', '/op'),
    op('payments', '/op/argent'),
    op('no payments', '/op/argent?q=rien'),
    op('payment', `/op/argent/${f.waiting.order}`),
    op('breaks', '/op/rapprochement'),
    op('break', `/op/rapprochement/${found.brk}`),
    op('disputes', '/op/litiges'),
    op('dispute', `/op/litiges/${found.dispute}`),
    op('dispute after errors', `/op/litiges/${found.dispute}`, { after: [['fill', '[name=refund]', 'x'], ['fill', '[name=reason]', 'x'], ['click', '.act .btn.go']], status: 422 }),
    op('payouts', '/op/versements'),
    op('payout', `/op/argent/${found.payout}`),
    op('approvals', '/op/approbations'),
    op('offers', '/op/offres'),
    op('offer of an insurer', `/op/offres/${f.insured.written}?carte=ar`),
    op('offer of a bank', `/op/offres/${f.lent.product}`),
    op('insurance and its breaks', '/op/assurance'),
    op('check-ups of all', '/op/diagnostics'),
    op('data of all', '/op/donnees'),
    op('members', '/op/entites?etat=active'),
    op('member', `/op/entites/${found.seller}`),
    op('health', '/op/sante'),
    op('journal', '/op/journal'),
    op('settings', '/op/reglages'),
    { name: 'parts', path: '/dev/parts', kind: 'dev', desk: 'dev' },
  ]
  return all.filter(p => p.path && !p.path.includes('undefined') && (p.desk !== 'op' || p.who)).map(p => ({ ...p, budget: budget[p.kind] }))
}

// short are the pages that a change is held to before it lands.
export const short = ['market', 'product', 'enter', 'day']

// views are the languages and widths of a page: all languages on the pages that
// most people meet, French and Arabic on the others.
export function views(page) {
  const common = [['fr', 360], ['ar', 360], ['fr', 1280]]
  if (page.desk === 'op') return [['fr', 1280], ['ar', 360], ['fr', 360], ['ar', 1280]]
  return ['market', 'product', 'till', 'order', 'enter', 'mine', 'day', 'sell', 'parts'].includes(page.name) ? [...common, ['en', 360], ['zgh', 360], ['ar', 1280]] : common
}

export const prefix = lang => lang === 'fr' ? '' : `/${lang}`
