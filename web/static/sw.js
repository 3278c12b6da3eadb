// Keeps what was seen for when there is no network. Nothing of a visitor's own is
// ever kept, but what another program shared, until its page takes it. VERSION
// changes with the files of the program.
const VERSION = "VERSION", PAGES = 'pages-' + VERSION, THINGS = 'things-' + VERSION, SHELLS = 'shells-' + VERSION, SHARED = 'partage'
const mostPages = 60, mostThings = 120, day = 864e5
const lang = path => (path.match(/^\/(ar|en|zgh)(?=\/|$)/) || [''])[0]

// shell is the page that stands where another would, without a network: it holds
// nothing of anybody's.
const shell = (path, l = lang(path), rest = path.slice(lang(path).length)) => l + '/hors-ligne' + (rest === '/v/vendre' ? '/vendre' : /^\/v(\/|$)/.test(rest) ? '/v' : rest.startsWith('/l/') ? '/l' : '')

// What anybody may see: the market, a product, a cooperative, a member, help.
const open = url => /^\/(ar|en|zgh)?(\/)?$/.test(url.pathname) || /^(\/(ar|en|zgh))?\/(p|c|aide|annuaire)(\/|$)/.test(url.pathname)
const lasting = url => /^\/(static|media)\//.test(url.pathname) || url.pathname.startsWith('/v1/pictures/')

// keep takes a shell in, with the files that it needs: those that a page fetched
// before are in the browser's own store, and cost nothing.
async function keep(path) {
  const c = await caches.open(SHELLS), kept = await c.match(path)
  if (kept && Date.now() - Date.parse(kept.headers.get('Date')) < day) return
  const r = await fetch(path, {credentials: 'omit'})
  if (!r.ok) return
  const t = await caches.open(THINGS), needs = new Set((await r.clone().text()).match(/\/static\/[\w./-]+\.(?:css|js|woff2)/g))
  await Promise.all([...needs].map(async at => {
    if (await t.match(at)) return
    const x = await fetch(at, {cache: 'force-cache'})
    if (x.ok) await t.put(at, x)
  }))
  await c.put(path, r)
}

// former are the shells that an older version kept.
async function former() {
  const names = (await caches.keys()).filter(k => k.startsWith('shells-') && k !== SHELLS)
  const all = await Promise.all(names.map(async k => (await (await caches.open(k)).keys()).map(x => new URL(x.url).pathname)))
  return all.flat()
}

addEventListener('install', e => e.waitUntil(former().then(all => Promise.all(all.map(keep))).catch(() => {}).then(() => skipWaiting())))
addEventListener('activate', e => e.waitUntil(caches.keys().then(all => Promise.all(all.filter(k => ![PAGES, THINGS, SHELLS, SHARED].includes(k)).map(k => caches.delete(k)))).then(() => clients.claim())))
// Late, when a page stands, it says which shells belong to it.
addEventListener('message', e => e.waitUntil(Promise.all((e.data.shells || []).filter(s => /^(\/(ar|en|zgh))?\/hors-ligne(\/\w+)?$/.test(s)).map(keep)).catch(() => {})))

async function trim(name, most) {
  const c = await caches.open(name), all = (await c.keys()).filter(k => !new URL(k.url).pathname.startsWith('/static/'))
  await Promise.all(all.slice(0, Math.max(0, all.length - most)).map(k => c.delete(k)))
}

async function thing(request, e) {
  const c = await caches.open(THINGS), kept = await c.match(request)
  if (kept) return kept
  const r = await fetch(request)
  if (r.ok) e.waitUntil(c.put(request, r.clone()).then(() => trim(THINGS, mostThings)))
  return r
}

async function page(request, url, e) {
  const c = await caches.open(PAGES)
  const asked = fetch(request).then(r => {
    if (r.ok && !r.redirected && open(url) && !/no-store/.test(r.headers.get('Cache-Control'))) e.waitUntil(c.put(request, r.clone()).then(() => trim(PAGES, mostPages)))
    return r
  })
  try {
    const soon = await Promise.race([asked, new Promise(done => setTimeout(done, 3000))])
    return soon || open(url) && await c.match(request) || await asked
  } catch {
    const path = url.pathname, kept = open(url) && await c.match(request)
    if (kept) return kept
    for (const at of [path, shell(path), shell(path, ''), '/hors-ligne']) {
      const s = await caches.match(at, {cacheName: SHELLS})
      if (s) return s
    }
    return Response.error()
  }
}

// share takes what another program hands over, also without a network and before
// its seller has signed in.
async function share(request, url) {
  const c = await caches.open(SHARED)
  await c.put('/v/partage', new Response(await request.formData()))
  return Response.redirect(lang(url.pathname) + '/v/vendre', 303)
}

addEventListener('fetch', e => {
  const url = new URL(e.request.url)
  if (url.origin !== location.origin) return
  if (e.request.method === 'POST' && /^(\/(ar|en|zgh))?\/v\/partage$/.test(url.pathname)) e.respondWith(share(e.request, url))
  if (e.request.method !== 'GET') return
  if (lasting(url)) e.respondWith(thing(e.request, e))
  else if (e.request.mode === 'navigate') e.respondWith(page(e.request, url, e))
})
