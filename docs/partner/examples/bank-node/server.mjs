// A bank that speaks bank.v1 (../../bank.v1.yaml), without dependencies: node server.mjs
//
// What it knows is one file to which lines are only ever added; each line is on the disk before it is answered. After
// a crash the file is read again, and a line that was cut off is dropped. It is an example and a sandbox, not a bank.
//
//   PORT      0 takes any free one; the address is printed
//   DATA      the file, bank.journal
//   TOKENS    bearer tokens that are let in, separated by commas; two while they are changed
//   ID        its name in the manifest, bank-node
//   ACCOUNTS  RIB=balance in centimes, separated by commas
//   EVENTS    where events are sent to, if anywhere
//   DAY_END   milliseconds from a movement to its statement; 0: only when told
import { createServer } from 'node:http'
import { createHash, createPublicKey, createPrivateKey, generateKeyPairSync, randomUUID, sign, timingSafeEqual } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'

const env = (name, other) => process.env[name] ?? other
const MOST = 1 << 20 // of a body
const tokens = env('TOKENS', 'a-token-for-the-sandbox').split(',').map(t => Buffer.from(t))
const dayEnd = Number(env('DAY_END', '0'))

// ---- what the bank knows: made of the lines of its file, in their order

const batches = new Map() // id → {id, sha256, state, payments: [{ref, centimes, to, info, state, reason}], from}
const messages = new Map() // id → {id, kind, batch, text, done}
const accounts = new Map(env('ACCOUNTS', '001810007800020110620318=100000000,011519000001205000534921=100000000').split(',').map(a => {
  const [rib, balance] = a.split('=')
  return [rib, { rib, balance: BigInt(balance), shown: BigInt(balance), sequence: 0, moves: [] }]
}))
const credits = new Set()
const applications = new Map() // id → {id, sha256, kind, seq, state, answers, …}
let secret = null // of its events

const apply = {
  key: l => { secret = createPrivateKey(l.pem) },
  batch: l => { batches.set(l.batch.id, l.batch) },
  moved: l => { // a payment leaves, or money comes in
    const a = accounts.get(l.account)
    a.balance += BigInt(l.centimes)
    a.moves.push(l)
    const p = batches.get(l.batch)?.payments.find(p => p.ref === l.ref)
    if (p) p.state = 'settled'
    if (l.credit) credits.add(l.id)
  },
  refused: l => { Object.assign(batches.get(l.batch).payments.find(p => p.ref === l.ref), { state: 'rejected', reason: l.reason }) },
  message: l => {
    messages.set(l.id, { id: l.id, kind: l.kind, batch: l.batch, text: l.text, done: false })
    if (l.account) {
      const a = accounts.get(l.account)
      a.sequence++
      a.shown = a.balance
      a.moves = []
    }
  },
  done: l => { messages.get(l.id).done = true },
  application: l => { applications.set(l.application.id, l.application) },
}

const path = env('DATA', 'bank.journal')
const file = openSync(path, existsSync(path) ? 'r+' : 'w+')
let end = 0
for (const line of readFileSync(path).toString('utf8').split(/(?<=\n)/)) {
  if (!line.endsWith('\n')) break // cut off by a crash: it was never answered
  apply[JSON.parse(line).what](JSON.parse(line))
  end += Buffer.byteLength(line)
}
ftruncateSync(file, end)

// write puts lines on the disk, all in one, and only then takes them in.
function write(...lines) {
  const text = Buffer.from(lines.map(l => JSON.stringify(l) + '\n').join(''))
  for (let n = 0; n < text.length;) n += writeSync(file, text, n, text.length - n, end + n)
  fsyncSync(file)
  end += text.length
  for (const l of lines) apply[l.what](l)
}
if (!secret) write({ what: 'key', pem: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) })

// ---- money, in centimes

const money = c => {
  const s = (c < 0n ? -c : c).toString().padStart(3, '0')
  return { amount: `${c < 0n ? '-' : ''}${s.slice(0, -2)}.${s.slice(-2)}`, currency: 'MAD' }
}
const centimes = m => {
  const found = typeof m?.amount === 'string' && m.currency === 'MAD' && /^(0|[1-9][0-9]{0,12})\.([0-9]{2})$/.exec(m.amount)
  return found ? BigInt(found[1] + found[2]) : null
}
const today = () => new Date().toISOString().slice(0, 10)
const hash = b => createHash('sha256').update(b).digest('hex')

// rib says whether the key of a RIB fits: the 24 digits are a multiple of 97.
const rib = s => typeof s === 'string' && /^[0-9]{24}$/.test(s) && BigInt(s) % 97n === 0n

// ---- batches

class Refusal extends Error {
  constructor(status, code, detail, more = {}) { super(detail); Object.assign(this, { status, code, more }) }
}
const name = /^[A-Za-z0-9][A-Za-z0-9_-]{0,34}$/

function check(b) {
  const wrong = (pointer, detail) => { throw new Refusal(422, 'invalid', detail, { errors: [{ pointer, detail }] }) }
  if (!Array.isArray(b.payments) || b.payments.length < 1 || b.payments.length > 10000) wrong('/payments', 'Give 1 to 10,000 payments.')
  const seen = new Set()
  let total = 0n
  b.payments.forEach((p, i) => {
    const sum = centimes(p?.amount)
    if (!name.test(p?.ref ?? '') || seen.has(p.ref)) wrong(`/payments/${i}/ref`, 'Give each payment a reference of its own.')
    if (sum === null || sum <= 0n) wrong(`/payments/${i}/amount`, 'Give an amount above nothing, in MAD.')
    if (!rib(p.to?.rib)) wrong(`/payments/${i}/to/rib`, 'Give a RIB whose key fits.')
    seen.add(p.ref)
    total += sum
  })
  if (b.count !== b.payments.length) wrong('/count', 'It must be the number of payments.')
  if (centimes(b.total) !== total) wrong('/total', 'It must be the sum of the payments.')
  if (!accounts.has(b.from?.rib)) throw new Refusal(422, 'refused', 'This account is not yours, or not here.', { reason: 'AC02' })
}

function take(body, key) {
  let b
  try { b = JSON.parse(body.toString('utf8')) } catch { throw new Refusal(400, 'malformed', 'This is no JSON.') }
  if (!b || typeof b !== 'object' || !name.test(b.id ?? '')) throw new Refusal(400, 'malformed', 'Give the batch an id.')
  if (key !== `"${b.id}"`) throw new Refusal(400, 'idempotency_key', 'Idempotency-Key must be the id of the batch, in quotes.')
  const had = batches.get(b.id)
  if (had) {
    if (had.sha256 !== hash(body)) throw new Refusal(422, 'idempotency_conflict', 'This id has been used for another content.')
    return { status: 200, batch: had }
  }
  check(b)
  const payments = b.payments.map(p => ({ ref: p.ref, centimes: centimes(p.amount).toString(), to: p.to, info: p.info ?? '', state: 'pending' }))
  const batch = { id: b.id, sha256: hash(body), state: 'received', from: b.from.rib, payments }
  write({ what: 'batch', batch }, ...execute(batch))
  dayEndSoon()
  tell()
  return { status: 201, batch, lost: payments.some(p => p.centimes.endsWith('03')) }
}

// execute pays what it can and reports on the batch. The last two digits of an amount choose what becomes of it:
// 01 is refused, 02 waits for the end of the day, 03 is paid and its first answer is lost.
function execute(batch) {
  const lines = [], said = []
  let balance = accounts.get(batch.from).balance
  for (const p of batch.payments) {
    const sum = BigInt(p.centimes)
    const reason = p.centimes.endsWith('01') ? 'AC04' : balance < sum ? 'AM04' : ''
    if (reason) {
      lines.push({ what: 'refused', batch: batch.id, ref: p.ref, reason })
      said.push({ ref: p.ref, state: 'rejected', reason })
    } else if (p.centimes.endsWith('02')) {
      said.push({ ref: p.ref, state: 'pending' })
    } else {
      balance -= sum
      lines.push(paid(batch, p))
      said.push({ ref: p.ref, state: 'settled' })
    }
  }
  return [...lines, reported(batch, said)]
}

const paid = (batch, p) => ({
  what: 'moved', id: randomUUID(), account: batch.from, centimes: (-BigInt(p.centimes)).toString(), batch: batch.id, ref: p.ref, name: p.to.name, rib: p.to.rib, info: p.info,
})
const reported = (batch, said) => {
  const states = new Set(said.map(s => s.state)), id = `R-${randomUUID()}`
  const state = states.size === 1 ? [...states][0] : 'partial'
  return { what: 'message', id, kind: 'report', batch: batch.id, text: JSON.stringify({ kind: 'report', id, batch: batch.id, state, payments: said }) }
}

// close ends the bank's day: what waited is paid, and each account that moved has a statement.
function close() {
  const lines = []
  for (const b of batches.values()) {
    const due = b.payments.filter(p => p.state === 'pending')
    if (due.length > 0) lines.push(...due.map(p => paid(b, p)), reported(b, due.map(p => ({ ref: p.ref, state: 'settled' }))))
  }
  if (lines.length > 0) write(...lines)
  const made = []
  for (const a of accounts.values()) {
    if (a.moves.length === 0) continue
    const id = `S-${a.rib}-${a.sequence + 1}`
    const entries = a.moves.map(m => ({
      id: m.id, amount: money(BigInt(m.centimes)), booked_on: today(), value_on: today(), code: m.credit ? 'credit' : 'transfer', info: m.info, batch: m.credit ? undefined : m.batch,
      details: [{ ref: m.ref ?? '', amount: money(BigInt(m.centimes)), id: m.id, counterparty: m.name, account: m.rib, info: m.info }],
    }))
    const text = JSON.stringify({
      kind: 'statement', id, account: a.rib, currency: 'MAD', sequence: a.sequence + 1, created_at: new Date().toISOString(), on: today(),
      opening: money(a.shown), closing: money(a.balance), entries,
    })
    write({ what: 'message', id, kind: 'statement', account: a.rib, text })
    made.push(id)
  }
  tell()
  return made
}

let closing = null
function dayEndSoon() {
  if (dayEnd > 0 && !closing) closing = setTimeout(() => { closing = null; close() }, dayEnd)
}

// credit has somebody transfer money to an account: sandbox only.
function credit(b) {
  const sum = centimes(b?.amount)
  if (!name.test(b?.id ?? '') || !accounts.has(b.account) || sum === null || sum <= 0n) throw new Refusal(422, 'invalid', 'Give id, account and amount.')
  if (!credits.has(b.id)) write({ what: 'moved', id: b.id, account: b.account, centimes: sum.toString(), credit: true, name: b.from?.name ?? 'Quelqu’un', rib: b.from?.rib ?? '', info: b.info ?? '' })
  dayEndSoon()
}

// ---- members' applications for accounts and loans
//
// The last two digits of an amount choose what becomes of it: 01 is refused, 02 has papers asked first, 03 is taken in
// and its first answer is lost; all others are offered at once. What is accepted is opened, or granted, at once.

const inDays = n => new Date(Date.now() + n * 86400000).toISOString().replace(/\.[0-9]+Z$/, 'Z')

// openRIB makes an account number of our own whose key fits.
function openRIB(id) {
  const head = '001810' + (BigInt('0x' + hash(Buffer.from(id)).slice(0, 14)) % 10n ** 16n).toString().padStart(16, '0')
  return head + (97n - (BigInt(head + '00') % 97n)).toString().padStart(2, '0')
}

const offered = a => ({
  ...a, state: 'offered', question: undefined,
  offer: { amount: a.amount, rate: a.amount && '7.25', months: a.months, fees: money(15000n), terms: 'Offre de la banque exemple.', valid_until: inDays(30) },
})

function applyFor(body, key) {
  let b
  try { b = JSON.parse(body.toString('utf8')) } catch { throw new Refusal(400, 'malformed', 'This is no JSON.') }
  if (!b || typeof b !== 'object' || !name.test(b.id ?? '')) throw new Refusal(400, 'malformed', 'Give the application an id.')
  if (key !== `"${b.id}"`) throw new Refusal(400, 'idempotency_key', 'Idempotency-Key must be the id of the application, in quotes.')
  const taken = applications.get(b.id)
  if (taken) {
    if (taken.sha256 !== hash(body)) throw new Refusal(422, 'idempotency_conflict', 'This id has been used for another content.')
    return { status: 200, application: taken }
  }
  const wrong = (pointer, detail) => { throw new Refusal(422, 'invalid', detail, { errors: [{ pointer, detail }] }) }
  const sum = b.amount === undefined ? null : centimes(b.amount)
  if (b.kind !== 'account' && b.kind !== 'loan') wrong('/kind', 'Give account or loan.')
  if ((b.kind === 'loan') !== (sum !== null && sum > 0n) || (b.kind === 'loan') !== (Number.isInteger(b.months) && b.months > 0)) wrong('/amount', 'A loan has an amount and months, an account neither.')
  if (!b.papers?.consent || !b.applicant?.name) wrong('/papers', 'Name who applies, and the consent to see its papers.')
  const last = sum === null ? '' : sum.toString().slice(-2)
  let a = { id: b.id, sha256: hash(body), kind: b.kind, amount: b.amount, months: b.months, holder: b.applicant.name, state: 'received', seq: 1, answers: [] }
  if (last === '01') a = { ...a, state: 'refused', reason: 'Le projet ne correspond pas à nos critères.' }
  else if (last === '02') a = { ...a, state: 'papers_asked', question: { text: 'Envoyez vos ventes de l’an dernier.', sections: [] } }
  else a = offered(a)
  write({ what: 'application', application: a })
  return { status: 201, application: a, lost: last === '03' }
}

// hear takes the member's word in, once.
function hear(a, n, body) {
  let w
  try { w = JSON.parse(body.toString('utf8')) } catch { throw new Refusal(400, 'malformed', 'This is no JSON.') }
  if (!Number.isInteger(n) || n < 1 || n > 100 || !['papers', 'accept', 'decline', 'withdraw'].includes(w?.kind)) throw new Refusal(422, 'invalid', 'Give a number and papers, accept, decline or withdraw.')
  if (a.answers.includes(n)) return a
  let next = { ...a, seq: a.seq + 1, answers: [...a.answers, n] }
  if (w.kind === 'papers' && a.state === 'papers_asked') next = offered(next)
  else if (w.kind === 'accept' && a.state === 'offered') next = { ...next, state: a.kind === 'loan' ? 'granted' : 'opened', account: { rib: openRIB(a.id), holder: a.holder } }
  else if (w.kind === 'decline' && a.state === 'offered') next.state = 'declined'
  else if (w.kind === 'withdraw' && !['opened', 'granted', 'refused'].includes(a.state)) next.state = 'withdrawn'
  write({ what: 'application', application: next })
  tell(true)
  return next
}

const progress = ({ id, sha256, state, seq, reason, question, offer, account, answers }) => ({ id, sha256, state, seq, reason, question, offer, account, answers })

// ---- events: signed with the key of the manifest (Standard Webhooks, v1a)

const publicKey = () => 'whpk_' + createPublicKey(secret).export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')

async function tell(changed = false) {
  const url = env('EVENTS', '')
  const waiting = [...messages.values()].filter(m => !m.done)
  if (!url || waiting.length === 0 && !changed) return
  const id = `msg_${randomUUID()}`, at = Math.floor(Date.now() / 1000).toString()
  const body = JSON.stringify({ type: 'message.waiting', timestamp: new Date().toISOString(), data: { id: waiting.at(-1)?.id ?? 'application' } })
  const signature = 'v1a,' + sign(null, Buffer.from(`${id}.${at}.${body}`), secret).toString('base64')
  for (let wait = 100; wait < 10000; wait *= 4) { // an event only saves time: whoever misses it finds the message all the same
    try {
      const res = await fetch(url, {
        method: 'POST', body, signal: AbortSignal.timeout(5000), redirect: 'error',
        headers: { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature },
      })
      if (res.ok) return
    } catch { /* again, later */ }
    await new Promise(r => setTimeout(r, wait).unref())
  }
}

// ---- HTTP

const manifest = () => ({
  id: env('ID', 'bank-node'), owner: 'Banque exemple (Node)',
  capabilities: [{ name: 'bank', version: '1', features: ['reports', 'statements', 'events', 'sandbox', 'applications'] }], auth: ['bearer'],
  idempotency_retention: '720h', rate_limit: { per_second: 200, burst: 200 }, webhook_keys: [publicKey()], sandbox: true,
})

function known(header) {
  const given = Buffer.from((header ?? '').replace(/^Bearer /, ''))
  return tokens.some(t => t.length === given.length && timingSafeEqual(t, given))
}

const view = b => ({ id: b.id, sha256: b.sha256, state: state(b), payments: b.payments.map(({ ref, state, reason }) => ({ ref, state, reason })) })
const state = b => {
  const all = new Set(b.payments.map(p => p.state))
  return all.size === 1 ? [...all][0] : 'partial'
}

function answer(req, url, body) {
  const [, base, version, what, id, verb, n] = url.pathname.split('/')
  const is = (method, parts) => req.method === method && base === 'bank' && version === 'v1' && [what, id, verb, n].filter(p => p !== undefined).length === parts
  if (is('POST', 1) && what === 'applications') {
    const t = applyFor(body, req.headers['idempotency-key'])
    return { status: t.status, json: progress(t.application), lost: t.lost }
  }
  if (what === 'applications' && (is('GET', 2) || is('POST', 4) && verb === 'answers')) {
    const a = applications.get(decodeURIComponent(id))
    if (!a) throw new Refusal(404, 'application_not_found', 'There is no such application.')
    return { status: 200, json: progress(req.method === 'POST' ? hear(a, Number(n), body) : a) }
  }
  if (is('POST', 1) && what === 'batches') {
    const t = take(body, req.headers['idempotency-key'])
    return { status: t.status, json: view(t.batch), lost: t.lost }
  }
  if (is('GET', 2) && what === 'batches') {
    const b = batches.get(decodeURIComponent(id))
    if (!b) throw new Refusal(404, 'batch_not_found', 'There is no such batch.')
    return { status: 200, json: view(b) }
  }
  if (is('GET', 1) && what === 'messages') {
    const limit = Math.min(Math.max(Number(url.searchParams.get('limit') ?? 50) || 50, 1), 100), batch = url.searchParams.get('batch')
    const waiting = [...messages.values()].filter(m => batch ? m.batch === batch : !m.done).slice(0, limit)
    return { status: 200, json: { data: waiting.map(m => ({ id: m.id, kind: m.kind, sha256: hash(m.text), bytes: Buffer.byteLength(m.text) })) } }
  }
  if (what === 'messages' && id) {
    const m = messages.get(decodeURIComponent(id))
    if (!m) throw new Refusal(404, 'message_not_found', 'There is no such message.')
    if (is('GET', 2)) return { status: 200, text: m.text }
    if (is('POST', 3) && verb === 'acknowledge') {
      let sum
      try { sum = JSON.parse(body.toString('utf8')).sha256 } catch { throw new Refusal(400, 'malformed', 'This is no JSON.') }
      if (sum !== hash(m.text)) throw new Refusal(409, 'message_differs', 'This is not the hash of the message.')
      if (!m.done) write({ what: 'done', id: m.id })
      return { status: 200, json: { id: m.id } }
    }
  }
  if (is('POST', 2) && what === 'sandbox' && id === 'day-end') return { status: 200, json: { statements: close() } }
  if (is('POST', 2) && what === 'sandbox' && id === 'credits') {
    credit(JSON.parse(body.toString('utf8')))
    return { status: 201, json: {} }
  }
  throw new Refusal(404, 'not_found', 'There is nothing here.')
}

function refuse(res, e) {
  const r = e instanceof Refusal ? e : new Refusal(500, 'internal', 'Something is wrong here; ask what became of it.')
  const body = JSON.stringify({ type: 'about:blank', title: r.code.replaceAll('_', ' '), status: r.status, code: r.code, detail: r.message, ...r.more })
  res.writeHead(r.status, { 'content-type': 'application/problem+json' }).end(body)
}

const server = createServer((req, res) => {
  const parts = []
  let size = 0
  req.on('data', d => { if ((size += d.length) <= MOST) parts.push(d) })
  req.on('error', () => {})
  const whole = () => {
    try {
      const url = new URL(req.url, 'http://bank')
      if (req.method === 'GET' && url.pathname === '/.well-known/hub-connector') {
        return res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(manifest()))
      }
      if (!known(req.headers.authorization)) throw new Refusal(401, 'unauthenticated', 'Sign in with a valid token.')
      if (size > MOST) throw new Refusal(413, 'too_large', 'A body has at most 1 MiB.')
      const a = answer(req, url, Buffer.concat(parts))
      if (a.lost) return req.socket.destroy() // done, and nobody hears of it
      res.writeHead(a.status, { 'content-type': 'application/json' }).end(a.text ?? JSON.stringify(a.json))
    } catch (e) {
      if (!(e instanceof Refusal)) console.error(e)
      refuse(res, e)
    }
  }
  req.on('end', () => { if (req.complete) whole() })
})
server.on('clientError', (_, socket) => socket.destroy())
server.listen(Number(env('PORT', '0')), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
for (const s of ['SIGINT', 'SIGTERM']) {
  process.on(s, () => { server.close(() => { closeSync(file); process.exit(0) }); server.closeAllConnections() })
}
