// Keeps what was seen for when there is no network. Nothing of a visitor's own is ever kept.
const VERSION = 'v1', PAGES = 'pages-' + VERSION, THINGS = 'things-' + VERSION
const mostPages = 60, mostThings = 120
const lang = path => (path.match(/^\/(ar|en|zgh)(?=\/|$)/) || ['', ''])[1]
const offline = path => (lang(path) ? '/' + lang(path) : '') + '/hors-ligne'
const first = ['/hors-ligne', '/ar/hors-ligne', '/en/hors-ligne', '/static/app.css', '/static/app.js', '/static/icon.svg', '/static/fonts/el-messiri-latin.woff2', '/static/fonts/el-messiri-arabic.woff2']

// What anybody may see: the market, a product, a cooperative, a member, help.
const open = url => /^\/(ar|en|zgh)?(\/)?$/.test(url.pathname) || /^(\/(ar|en|zgh))?\/(p|c|aide|annuaire|hors-ligne)(\/|$)/.test(url.pathname)
const lasting = url => /^\/(static|media)\//.test(url.pathname) || url.pathname.startsWith('/v1/pictures/')

addEventListener('install', e => e.waitUntil(caches.open(THINGS).then(c => c.addAll(first)).then(() => skipWaiting())))
addEventListener('activate', e => e.waitUntil(caches.keys().then(all => Promise.all(all.filter(k => k !== PAGES && k !== THINGS).map(k => caches.delete(k)))).then(() => clients.claim())))

async function trim(name, most) {
  const c = await caches.open(name), all = (await c.keys()).filter(k => !first.includes(new URL(k.url).pathname))
  await Promise.all(all.slice(0, Math.max(0, all.length - most)).map(k => c.delete(k)))
}

async function thing(request) {
  const c = await caches.open(THINGS), kept = await c.match(request)
  if (kept) return kept
  const r = await fetch(request)
  if (r.ok) { await c.put(request, r.clone()); trim(THINGS, mostThings) }
  return r
}

async function page(request, url) {
  const c = await caches.open(PAGES)
  try {
    const r = await Promise.race([fetch(request), new Promise((_, no) => setTimeout(no, 3000, 0))])
    if (r.ok && !r.redirected && open(url) && !/no-store/.test(r.headers.get('Cache-Control'))) { await c.put(request, r.clone()); trim(PAGES, mostPages) }
    return r
  } catch (late) {
    const kept = open(url) && await c.match(request)
    if (kept) return kept
    if (late === 0) try { return await fetch(request) } catch { /* no network */ }
    return await caches.match(offline(url.pathname)) || await caches.match('/hors-ligne') || Response.error()
  }
}

addEventListener('fetch', e => {
  const url = new URL(e.request.url)
  if (e.request.method !== 'GET' || url.origin !== location.origin) return
  if (lasting(url)) e.respondWith(thing(e.request))
  else if (e.request.mode === 'navigate') e.respondWith(page(e.request, url))
})
