// What pages do beyond plain links and forms. Without it everything still works.
const $ = (s, at = document) => at.querySelectorAll(s)

// A choice that changes the sum asks for the sum again.
$('[data-till]').forEach(form => {
  form.addEventListener('change', e => {
    const key = form.querySelector('[data-update]')
    if (key && e.target.matches('[data-again]')) form.requestSubmit(key)
  })
})

// A form is sent once, even when its key is pressed twice.
document.addEventListener('submit', e => {
  const form = e.target
  if (form.method !== 'post') return
  if (form.dataset.sent) { e.preventDefault(); return }
  form.dataset.sent = '1'
  setTimeout(() => { delete form.dataset.sent }, 8000)
})
addEventListener('pageshow', e => { if (e.persisted) $('form').forEach(f => { delete f.dataset.sent }) })

// The way to the bank's page opens by itself, once.
$('form[data-send]').forEach(form => {
  const at = 'sent:' + location.pathname
  if (sessionStorage.getItem(at)) return
  sessionStorage.setItem(at, '1')
  form.requestSubmit()
})

// While a payment is being checked the page looks again by itself, ever less often.
$('[data-wait]').forEach(() => {
  const at = 'waited:' + location.pathname, n = +sessionStorage.getItem(at) || 0
  if (n < 8) setTimeout(() => { sessionStorage.setItem(at, n + 1); location.reload() }, 2000 * (n + 1))
})

// What is copied by hand can be marked by one tap.
$('[data-copy]').forEach(x => x.addEventListener('click', () => {
  getSelection().selectAllChildren(x)
  navigator.clipboard?.writeText(x.textContent.trim()).then(() => x.setAttribute('data-copied', ''), () => {})
}))

// Money is never sent without a network.
const pay = $('[data-pay]')
const net = () => pay.forEach(k => { k.disabled = !navigator.onLine })
if (pay.length) { addEventListener('online', net); addEventListener('offline', net); net() }

// Words to look for, as one types.
$('.search input[list]').forEach(input => {
  let timer, asked
  input.addEventListener('input', () => {
    clearTimeout(timer)
    const q = input.value.trim()
    if (q.length < 2 || navigator.connection?.saveData) return
    timer = setTimeout(async () => {
      asked?.abort(); asked = new AbortController()
      try {
        const lang = document.documentElement.lang
        const r = await fetch(`/v1/suggestions?lang=${lang}&q=${encodeURIComponent(q)}`, {signal: asked.signal})
        if (!r.ok) return
        const seen = new Set((await r.json()).data.map(s => s.text))
        input.list.replaceChildren(...[...seen].map(t => Object.assign(document.createElement('option'), {value: t})))
      } catch { /* typing goes on without */ }
    }, 250)
  })
})

// A passkey takes the place of a code, on devices that have one.
const ask = async (what, body) => {
  const r = await fetch('/cle/' + what, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)})
  const said = await r.json()
  if (!r.ok) throw Error(said.text)
  return said
}
const P = window.PublicKeyCredential
if (P?.parseCreationOptionsFromJSON) $('[data-passkey]').forEach(box => {
  const what = box.dataset.passkey, failed = box.querySelector('[data-failed]')
  box.hidden = false
  box.querySelector('button').addEventListener('click', async () => {
    failed.textContent = ''
    try {
      const {handle, options} = await ask(what + '-options', {}), o = options.publicKey || options
      const made = what === 'ajouter' ? await navigator.credentials.create({publicKey: P.parseCreationOptionsFromJSON(o)}) : await navigator.credentials.get({publicKey: P.parseRequestOptionsFromJSON(o)})
      await ask(what, {handle, credential: made.toJSON()})
      const form = box.closest('form') // what it holds goes on, to where it was sent first
      if (form?.hasAttribute('data-kept')) { form.action = box.dataset.then; form.submit() } else location.assign(box.dataset.then)
    } catch (e) { if (e.name !== 'NotAllowedError') failed.textContent = e.message }
  })
})

// Signing out wipes what this device keeps: what was not sent yet is asked about
// before, and can be kept for the next time.
$('form[data-leaves]').forEach(form => form.addEventListener('submit', e => {
  if (!+localStorage.getItem('attente') || e.submitter?.name === 'garder') return
  e.preventDefault(); e.stopPropagation()
  form.querySelector('[data-unsent]').hidden = false
  form.querySelector('[name=garder]').focus()
}))

// Who leaves a telephone to somebody else takes along whose desk it was, and the
// pages that were kept for it.
const gone = () => { localStorage.removeItem('siege'); window.caches?.keys().then(all => all.filter(k => k.startsWith('pages')).forEach(k => caches.delete(k))) }
$('form[action$="/moi/laisser"],form[data-leaves]').forEach(form => form.addEventListener('submit', e => { if (!e.defaultPrevented) gone() }))

// What keeps pages for when there is no network comes last, and is told which
// pages belong to this desk. Nobody is made to pay for them on the first page that
// is ever opened, but who brings a parcel: that has no other.
const sw = navigator.serviceWorker, back = !!sw?.controller, late = () => (window.requestIdleCallback || setTimeout)(async () => {
  try {
    await sw.register('/sw.js')
    const desk = {seller: ['/v', '/vendre'], courier: ['/l']}[document.documentElement.className] || ['']
    if (!back && desk[0] !== '/l') return
    const at = (location.pathname.match(/^\/(ar|en|zgh)(?=\/|$)/) || [''])[0] + '/hors-ligne'
    ;(await sw.ready).active.postMessage({shells: desk.map(x => at + x)})
  } catch { /* pages stand without it */ }
})
if (sw) document.readyState === 'complete' ? late() : addEventListener('load', late)
