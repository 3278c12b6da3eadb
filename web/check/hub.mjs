// A hub of its own for the checks: its database, its stand-in partners, its ports.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wire } from './wire.mjs'

const free = () => new Promise(done => {
  const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)) })
})

export const pause = ms => new Promise(done => setTimeout(done, ms))

// until waits for something that comes by itself.
export async function until(what, ask, ms = 30000) {
  for (const end = Date.now() + ms; ; await pause(150)) {
    const got = await ask()
    if (got) return got
    if (Date.now() > end) throw new Error(`${what} does not come`)
  }
}

export async function open(binary) {
  const dir = mkdtempSync(join(tmpdir(), 'tiwiza-web-'))
  const [port, simPort] = [await free(), await free()]
  const counted = await wire(port)
  const base = `http://localhost:${counted.port}` // passkeys stand on names, not on addresses
  const env = { ...process.env, HUB_DATA_DIR: dir, HUB_ADDR: `127.0.0.1:${port}`, HUBSIM_ADDR: `127.0.0.1:${simPort}`, HUB_PUBLIC_URL: base }
  delete env.HUB_DATABASE_URL
  delete env.HUB_TEST_DATABASE_URL
  const child = spawn(binary, ['run'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', b => { log = (log + b).slice(-20000) })
  const gone = new Promise(done => child.on('exit', done))
  for (let i = 0; ; i++) {
    if (child.exitCode !== null || i > 600) throw new Error(`the hub does not start:\n${log}`)
    if (existsSync(join(dir, 'demo.json')) && await fetch(base + '/readyz').then(r => r.ok, () => false)) break
    await pause(200)
  }
  return {
    base, sim: `http://127.0.0.1:${simPort}`, wire: counted, demo: JSON.parse(readFileSync(join(dir, 'demo.json'), 'utf8')), log: () => log,
    async close() {
      child.kill('SIGTERM')
      await gone
      counted.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

// ask asks the hub's interface, or the stand-in partners, and gives the answer.
export async function ask(base, method, path, { key, body } = {}) {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }
  if (key) headers.Authorization = `Bearer ${key}`
  const r = await fetch(base + path, { method, headers, body: method === 'GET' ? undefined : JSON.stringify(body ?? {}) })
  const text = await r.text()
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text.slice(0, 400)}`)
  return text ? JSON.parse(text) : undefined
}

// code is the last code that somebody was sent.
export const code = (hub, phone, after = '') => until('a code', async () => {
  const box = await ask(hub.base, 'GET', `/v1/demo/inbox?limit=1&address=${encodeURIComponent(phone)}`)
  const got = box.data[0]?.params.code
  return got !== after && got
})

// kept is what a browser keeps of a session.
export const kept = (hub, token, name = '__Host-session') => ({
  cookies: [{ name, value: token, domain: new URL(hub.base).hostname, path: '/', secure: true, httpOnly: true, sameSite: 'Lax', expires: -1 }], origins: [],
})

// enter signs somebody in by telephone, as the page does, and gives what the
// browser then keeps.
export async function enter(hub, phone) {
  const { handle } = await ask(hub.base, 'POST', '/v1/sign-in/codes', { body: { phone } })
  const { token } = await ask(hub.base, 'POST', '/v1/sign-in/sessions', { body: { phone, handle, code: await code(hub, phone) } })
  return kept(hub, token)
}

// sold makes an order of a new buyer that is paid by a wallet, and gives its
// buyer's key, its id and its seller.
let buyers = 0
export async function sold(hub, { seller, method = 'wallet' } = {}) {
  const key = (await ask(hub.base, 'POST', '/v1/guests')).api_key
  const of = seller || hub.demo.sellers[0]
  const offers = await ask(hub.base, 'GET', `/v1/offers?limit=24&seller=${of.organisation}`)
  let variant
  for (const o of offers.data) {
    const whole = await ask(hub.base, 'GET', `/v1/offers/${o.id}`)
    variant = whole.kind === 'digital' ? undefined : whole.variants.find(v => v.available > 0)
    if (variant) break
  }
  const basket = (await ask(hub.base, 'POST', '/v1/baskets', { key })).id
  await ask(hub.base, 'PUT', `/v1/baskets/${basket}/lines/${variant.id}`, { key, body: { quantity: 1 } })
  const where = { method: 'carrier', commune: 'Fès' }
  const quote = await ask(hub.base, 'POST', `/v1/baskets/${basket}/quotes`, { key, body: { delivery: where } })
  const phone = `+2126007${String(++buyers).padStart(3, '0')}00` // such wallets approve by themselves
  const made = await ask(hub.base, 'POST', '/v1/checkouts', {
    key, body: {
      basket, quote: quote.hash, payment: { method }, contact: { name: 'Acheteuse (exemple)', phone }, delivery: { ...where, address: '12, derb de l’Exemple' },
    },
  })
  const order = made.orders[0].id
  if (method === 'wallet') await until('the payment', async () => (await ask(hub.base, 'GET', `/v1/orders/${order}`, { key })).state === 'paid')
  return { key, order, group: made.order_group, who: kept(hub, key, '__Host-guest'), seller: hub.demo.sellers.find(s => s.organisation === made.orders[0].seller.id) }
}

// checked has the first seller begin a check-up and the second one finish one.
async function checked(hub, found) {
  const begin = async seller => (await ask(hub.base, 'POST', '/v1/diagnostics', { key: seller.api_key, body: { questionnaire: 'numerique' } })).id
  const [first, second] = hub.demo.sellers
  const put = (seller, run, code, body) => ask(hub.base, 'PUT', `/v1/diagnostics/${run}/answers/${code}`, { key: seller.api_key, body })
  found.checked = { open: await begin(first), done: await begin(second), who: await enter(hub, second.phone) }
  await put(first, found.checked.open, 'sold_online', { choice: 'yes' })
  const { questionnaire } = await ask(hub.base, 'GET', '/v1/questionnaires/numerique', { key: second.api_key })
  const rules = questionnaire.dimensions.flatMap(d => d.questions)
  for (;;) {
    const open = (await ask(hub.base, 'GET', `/v1/diagnostics/${found.checked.done}`, { key: second.api_key })).questions.filter(q => !q.answered && !q.waiting)
    if (!open.length) break
    for (const { code } of open) {
      const r = rules.find(x => x.code === code)
      await put(second, found.checked.done, code, r.type === 'number' ? { number: 4 } : r.type === 'several' ? { choices: [r.choices[0].code] } : { choice: r.type === 'yes_no' ? 'yes' : r.choices[1].code })
    }
  }
  await ask(hub.base, 'POST', `/v1/diagnostics/${found.checked.done}/finish`, { key: second.api_key })
}

// filed has three sellers begin a case each: one is a draft, one waits for an
// answer, one was granted with a document that anybody verifies.
async function filed(hub, found) {
  const [registrar] = hub.demo.institutions, [, , drafts, asked, granted] = hub.demo.sellers
  const begin = async seller => ({ id: (await ask(hub.base, 'POST', '/v1/cases', { key: seller.api_key, body: { procedure: registrar.procedures.registration, answers: { activity: 'Tissage de tapis (exemple)', commune: 'Tiznit', people: 2 } } })).id, who: await enter(hub, seller.phone) })
  const move = (c, move, body) => ask(hub.base, 'POST', `/v1/cases/${c.id}/${move}`, { key: registrar.api_key, body })
  const hand = async seller => {
    const c = await begin(seller), key = seller.api_key
    const sent = await fetch(`${hub.base}/v1/files?kind=proof`, { method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/pdf', 'Idempotency-Key': crypto.randomUUID() }, body: `%PDF-1.4\n% ${c.id}\n%%EOF\n` })
    await ask(hub.base, 'POST', `/v1/cases/${c.id}/papers`, { key, body: { code: 'identity', file: (await sent.json()).id } })
    await ask(hub.base, 'POST', `/v1/cases/${c.id}/submit`, { key })
    await move(c, 'examine')
    return c
  }
  found.filed = { draft: await begin(drafts), asked: await hand(asked), granted: await hand(granted) }
  await move(found.filed.asked, 'ask', { text: 'Depuis quand tissez-vous ?' })
  await move(found.filed.granted, 'advance')
  found.filed.verify = (await move(found.filed.granted, 'decide', { outcome: 'grant' })).document.verify
}

// shares has the first seller keep two papers and let the bank look, who does; one
// request waits for its answer, and one consent was taken back.
async function shares(hub, found) {
  const [first] = hub.demo.sellers, { api_key: key, organisation: org } = first, bank = hub.demo.bank.api_key
  const put = (title, section, sensitive) => ask(hub.base, 'POST', `/v1/organisations/${org}/dossier`, { key, body: { title, section, sensitive, form: { 'Chiffre d’affaires': '48\u202f200 DH', 'Membres': 12 } } })
  const item = (await put('Bilan 2025 (exemple)', 'financial', false)).id
  await put('Dettes de la coopérative (exemple)', 'financial', true)
  await put('Liste des adhérentes (exemple)', 'social', false)
  const asks = async (purpose, why) => (await ask(hub.base, 'POST', '/v1/consent-requests', { key: bank, body: { owner: org, purpose, sections: ['financial', 'identity'], days: 90, why } }))
  const grant = async c => ask(hub.base, 'POST', `/v1/consents/${c.id}/answer`, { key, body: { decision: 'grant', digest: c.digest } })
  const live = await asks('credit', 'Pour étudier le crédit de votre atelier.'), gone = await asks('audit', '')
  await grant(live); await grant(gone)
  await ask(hub.base, 'GET', `/v1/dossiers/${org}?consent=${live.id}`, { key: bank })
  await ask(hub.base, 'GET', `/v1/dossiers/${org}/items/${item}`, { key: bank })
  await ask(hub.base, 'POST', `/v1/consents/${gone.id}/withdraw`, { key })
  const asked = await asks('support', 'Nous aidons les coopératives à tenir leurs comptes. Nous voulons voir vos chiffres de 2025.')
  found.shared = { item, live: live.id, ended: gone.id, asked: asked.id, bank: live.grantee }
}

// stage puts orders on the stage that the pages show: one to be paid by transfer,
// one to pack, and one that is on its way with a link.
export async function stage(hub, found) {
  await checked(hub, found)
  await filed(hub, found)
  await shares(hub, found)
  const [, , , , , packs, brings] = hub.demo.sellers
  found.transfer = await sold(hub, { seller: packs, method: 'transfer' })
  found.waiting = await sold(hub, { seller: packs })
  found.waiting.sellerWho = await enter(hub, packs.phone)
  found.onItsWay = await sold(hub, { seller: brings })
  const at = `/v1/orders/${found.onItsWay.order}`, key = brings.api_key
  for (const move of ['accept', 'prepare']) await ask(hub.base, 'POST', `${at}/${move}`, { key })
  await ask(hub.base, 'POST', `${at}/shipments`, { key, body: { method: 'own' } })
  const { shipments } = await ask(hub.base, 'GET', at, { key })
  found.onItsWay.link = '/l/' + (await ask(hub.base, 'POST', `/v1/shipments/${shipments[0].id}/courier-links`, { key })).secret
}
