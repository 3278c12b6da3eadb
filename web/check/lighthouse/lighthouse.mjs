// node lighthouse.mjs : the median of three runs of Lighthouse on a cheap
// telephone, for four pages. Times differ from machine to machine, so nothing
// fails here.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import lighthouse from 'lighthouse'
import { program } from '../chrome.mjs'
import { enter, open, pause, sold } from '../hub.mjs'

const runs = 3, kinds = ['performance', 'accessibility', 'best-practices', 'seo']
const marks = { market: [98, 100, 100, 95], product: [98, 100, 100, 95] }
const median = all => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]
const hub = await open(process.env.HUB || '../../../bin/hub')
const profile = mkdtempSync(join(tmpdir(), 'tiwiza-lighthouse-'))
const port = hub.wire.port + 1
const browser = spawn(program, [`--remote-debugging-port=${port}`, `--user-data-dir=${profile}`, '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', 'about:blank'], { stdio: 'ignore' })
const gone = new Promise(done => browser.on('exit', done))

async function run(page) {
  const all = []
  for (let i = 0; i < runs; i++) {
    const result = await lighthouse(hub.base + page.path, { port, output: 'json', logLevel: 'silent', onlyCategories: kinds, formFactor: 'mobile', extraHeaders: page.who ? { Cookie: page.who.cookies.map(c => `${c.name}=${c.value}`).join('; ') } : undefined })
    const { categories, audits } = result.lhr
    all.push([...kinds.map(k => Math.round(100 * categories[k].score)), audits['largest-contentful-paint'].numericValue, audits['total-blocking-time'].numericValue])
    for (const k of kinds) for (const a of categories[k].auditRefs) if (process.env.SHOW && i === 0 && a.weight > 0 && audits[a.id].score !== null && audits[a.id].score < 1) console.error(page.name, k, a.id, audits[a.id].score, audits[a.id].displayValue || '')
  }
  return all[0].map((_, n) => Math.round(median(all.map(r => r[n]))))
}

try {
  for (let i = 0; i < 100 && !await fetch(`http://127.0.0.1:${port}/json/version`).then(r => r.ok, () => false); i++) await pause(100)
  const first = await fetch(hub.base + '/v1/offers?limit=1').then(r => r.json())
  const s = await sold(hub)
  console.log(['page', ...kinds, 'LCP ms', 'TBT ms', 'mark'].join('\t'))
  for (const page of [
    { name: 'market', path: '/' }, { name: 'product', path: `/p/${first.data[0].id}` },
    { name: 'order', path: `/o/${s.order}`, who: s.who }, { name: 'day', path: '/v', who: await enter(hub, s.seller.phone) },
  ]) console.log([page.name, ...await run(page), (marks[page.name] || []).join('/')].join('\t'))
} finally {
  browser.kill()
  await gone
  await hub.close()
  rmSync(profile, { recursive: true, force: true })
}
