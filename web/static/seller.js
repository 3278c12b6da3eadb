// What the desks of sellers and couriers do beyond plain links and forms: prices are
// shown as notes while they are typed, photographs are made small before they
// travel, names are spoken, and what is sent without a network is kept and sent
// once when it is back. What is typed is kept too, until it is sent. Without it
// everything still works.
const $ = (s, at = document) => at.querySelector(s), $$ = (s, at = document) => [...at.querySelectorAll(s)];

const root = document.documentElement, has = (x) => x instanceof File ? x.size > 0 : x !== '';

// Whose what is typed here is: that of the seat which the page was opened at, or
// which the telephone was last opened at when there is no network. A courier's link
// is its own key.
if (root.dataset.seat) localStorage.setItem('siege', root.dataset.seat);
const seat = root.classList.contains('courier') ? '' : root.dataset.seat || localStorage.getItem('siege');
const shell = !!$('[data-shell]');

// What waits for the network: each form as it was, with its own key, so that the
// hub does it once however often it is sent. Money is never in it. Beside it the
// drafts of what is not sent yet.
const store = () => new Promise((ok, no) => {
  const r = indexedDB.open('vendeur', 2);
  r.onupgradeneeded = (e) => {
    for (const n of ['envois', 'brouillons']) if (!r.result.objectStoreNames.contains(n)) r.result.createObjectStore(n, { keyPath: 'cle' });
    if (e.oldVersion === 1) r.transaction.objectStore('envois').openCursor().onsuccess = ({ target: { result: c } }) => { // what waits from before there were seats
      if (!c) return;
      const at = new URL(c.value.to).pathname;
      c.update({ ...c.value, what: '', page: at.replace(/\/[^/]+$/, ''), seat: /^(\/\w+)?\/l\//.test(at) ? '' : seat });
      c.continue();
    };
  };
  r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error);
});
const does = async (name, mode, f) => {
  const db = await store();
  return new Promise((ok, no) => {
    const t = db.transaction(name, mode), r = f(t.objectStore(name));
    t.oncomplete = () => { db.close(); ok(r && r.result); }; t.onerror = t.onabort = () => { db.close(); no(t.error); };
  });
};
const keeps = (name, x) => does(name, 'readwrite', (s) => s.put(x)), drops = (name, key) => does(name, 'readwrite', (s) => s.delete(key));
const waiting = async () => { try { return await does('envois', 'readonly', (s) => s.getAll()); } catch { return []; } };
const mine = (all) => all.filter((x) => x.seat === seat).sort((a, b) => a.at - b.at);

// A photograph of at most 1280 pixels and 200 KB, without the place that cameras
// write into it.
const small = 'photo-petite.jpg';
async function shrink(file) {
  const bmp = await createImageBitmap(file, { imageOrientation: 'from-image' });
  let side = 1280;
  for (let q = 0.75; ; q -= 0.1) {
    if (q < 0.35) { q = 0.65; side = Math.round(side * 0.75); }
    const k = Math.min(1, side / Math.max(bmp.width, bmp.height)), c = document.createElement('canvas');
    c.width = Math.max(1, Math.round(bmp.width * k)); c.height = Math.max(1, Math.round(bmp.height * k));
    c.getContext('2d').drawImage(bmp, 0, 0, c.width, c.height);
    const out = await new Promise((r) => c.toBlob(r, 'image/jpeg', q));
    if (!out || out.size <= 200 * 1024 || side < 320) return out && new File([out], small, { type: 'image/jpeg' });
  }
}
const put = (input, file) => { const d = new DataTransfer(); d.items.add(file); input.files = d.files; };

// tile shows a photograph, made small, or says that it is too large.
const mostPhoto = 12 << 20;
async function tile(i) {
  const file = i.files[0], box = i.closest('.shoot');
  if (!file) return;
  if (!file.type.startsWith('image/')) { $('.label', box).textContent = file.name; return; } // a paper
  if (file.name !== small) try { const f = await shrink(file); if (f) put(i, f); } catch { /* the hub takes it as it is */ }
  const large = i.dataset.large && i.files[0].size > mostPhoto;
  $('[data-told]', box.parentElement)?.remove();
  if (large) {
    i.value = '';
    box.after(Object.assign(document.createElement('p'), { className: 'err', textContent: i.dataset.large }));
    box.nextElementSibling.dataset.told = '';
    box.nextElementSibling.setAttribute('role', 'alert');
  }
  const img = new Image();
  img.alt = ''; img.dataset.preview = ''; if (!large) img.src = URL.createObjectURL(i.files[0]);
  $('[data-preview]', box).replaceWith(img);
  $('.i', box)?.toggleAttribute('hidden', !large);
}
// listen lets a voice note be heard.
const listen = (form) => { const a = $('[data-heard]', form), f = form.elements.voix?.files[0]; if (a && f) { a.src = URL.createObjectURL(f); a.hidden = false; } };

// stamp says when a form was filled in.
const stamp = (form) => { const w = $('[data-when]', form); if (w && !w.value) w.value = new Date().toISOString().slice(0, 19) + 'Z'; };

// wire binds what stands in a part of the page.
function wire(at) {
  // Keys beside a number.
  for (const b of $$('[data-step]', at)) {
    b.addEventListener('click', () => {
      const i = $('input', b.parentElement), n = parseFloat(i.value.replace(',', '.').replace(/\s/g, '')) || 0;
      i.value = String(Math.max(0, Math.round((n + Number(b.dataset.step)) * 100) / 100)).replace('.', document.documentElement.lang === 'en' ? '.' : ',');
      i.dispatchEvent(new Event('input', { bubbles: true }));
    });
  }

  // What a price means.
  for (const form of $$('[data-guide]', at)) {
    const into = $('[data-guided]', form), price = $('[data-price]', form);
    let wait, last = 0;
    const ask = () => {
      clearTimeout(wait);
      wait = setTimeout(async () => {
        const mine = ++last, q = new URLSearchParams({ prix: price.value, categorie: new FormData(form).get('categorie') || '' });
        try {
          const r = await fetch(form.dataset.guide + '?' + q, { headers: { Accept: 'text/html' } });
          if (r.ok && mine === last) {
            const doc = new DOMParser().parseFromString(await r.text(), 'text/html');
            into.replaceChildren(...doc.body.childNodes);
          }
        } catch { /* without a network the price stands alone */ }
      }, 250);
    };
    price.addEventListener('input', ask);
    form.addEventListener('change', (e) => { if (e.target.name === 'categorie') ask(); });
  }

  for (const i of $$('[data-shrink]', at)) i.addEventListener('change', () => tile(i));

  // A spoken name, fifteen seconds at most.
  for (const b of $$('[data-record]', at)) {
    const field = $('[name=voix]', b.form), said = b.getAttribute('aria-label');
    const typed = () => { b.hidden = true; $('[data-voice]', b.form).classList.add('open'); };
    if (!navigator.mediaDevices || !window.MediaRecorder) { typed(); continue; }
    let rec;
    b.addEventListener('click', async () => {
      if (rec) { rec.stop(); return; }
      let mic;
      try { mic = await navigator.mediaDevices.getUserMedia({ audio: true }); } catch { typed(); return; }
      const parts = [];
      rec = new MediaRecorder(mic, { audioBitsPerSecond: 24000 });
      const stop = setTimeout(() => rec && rec.stop(), 15000);
      rec.ondataavailable = (e) => parts.push(e.data);
      rec.onstop = () => {
        clearTimeout(stop); mic.getTracks().forEach((t) => t.stop());
        const type = rec.mimeType.split(';')[0]; rec = null;
        put(field, new File(parts, 'voix.' + (type.includes('mp4') ? 'm4a' : 'webm'), { type }));
        listen(b.form); field.dispatchEvent(new Event('change', { bubbles: true }));
        b.setAttribute('aria-pressed', 'false'); b.setAttribute('aria-label', said);
      };
      rec.start(); b.setAttribute('aria-pressed', 'true'); b.setAttribute('aria-label', b.dataset.stop);
    });
  }

  // Where and when a delivery was proved.
  if ($('[data-spot]', at) && navigator.geolocation) {
    const ask = () => navigator.geolocation.getCurrentPosition((p) => {
      const at = [p.coords.latitude.toFixed(5), p.coords.longitude.toFixed(5), Math.min(100000, Math.round(p.coords.accuracy))].join(',');
      $$('[data-spot]').forEach((i) => { i.value = at; });
    }, () => {}, { maximumAge: 60000, timeout: 8000 });
    document.addEventListener('focusin', ask, { once: true });
  }

  // Reading the buyer's square: its last four digits are the code, if it holds one.
  for (const b of $$('[data-scan]', at)) {
    if (!('BarcodeDetector' in window)) continue;
    b.hidden = false;
    b.addEventListener('click', async () => {
      const seen = $('[data-seen]', b.form), code = $('[name=code]', b.form);
      let cam;
      try { cam = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }); } catch { return; }
      seen.srcObject = cam; seen.hidden = false; await seen.play();
      const reads = new window.BarcodeDetector({ formats: ['qr_code'] }), end = Date.now() + 30000;
      const look = async () => {
        const m = (await reads.detect(seen)).map((x) => /(?:^|[?&]c(?:ode)?=|\/)(\d{4})$/.exec(x.rawValue)).find(Boolean);
        if (m) code.value = m[1];
        if (m || Date.now() > end) { cam.getTracks().forEach((t) => t.stop()); seen.hidden = true; code.focus(); return; }
        setTimeout(look, 200);
      };
      look();
    });
  }

  for (const form of $$('form[data-queue]', at)) if (form.dataset.queue) queues(form);
}

const post = (to, fields) => {
  const body = new FormData();
  for (const [k, v] of fields) body.append(k, v);
  return fetch(to, { method: 'POST', body, headers: { Goes: '1' }, signal: AbortSignal.timeout(120000) });
};
// Later: signed out, another seat, or broken. It is not the form's fault.
const later = (r) => r.url.includes('/entrer') || r.status >= 500 || [401, 408, 412, 429].includes(r.status);
const read = async (r) => new DOMParser().parseFromString(await r.text(), 'text/html');
const why = (doc) => $$('.wrongs li, main .notice p', doc).map((x) => x.textContent.trim()).join(' ') || doc.title;
const path = (to) => new URL(to, location.href).pathname.replace(/^\/(ar|en|zgh)(?=\/)/, '');
const draftOf = (to) => seat + ' ' + path(to);
const filled = (form, key) => [...new FormData(form, key)].filter(([, v]) => has(v));

// tell shows what waits, and what was refused.
const shots = new Map();
async function tell() {
  const everything = await waiting(), all = mine(everything), bad = all.filter((x) => x.refused).length;
  localStorage.setItem('attente', everything.length + await does('brouillons', 'readonly', (s) => s.count()).catch(() => 0));
  for (const w of $$('[data-waiting]')) {
    const d = w.dataset, [n, one, many] = bad ? [bad, d.badOne, d.badMany] : [all.length, d.one, d.many];
    w.hidden = all.length === 0;
    $('[data-count]', w).textContent = n === 1 ? one : many.replace('{n}', n);
    $('[data-items]', w).replaceChildren(...all.map((x) => {
      const li = $('[data-item]', w).content.cloneNode(true).firstElementChild, shot = $('[data-shot]', li);
      const photo = x.fields.find(([k, v]) => k === 'photo' && v instanceof File);
      if (photo) { if (!shots.has(x.cle)) shots.set(x.cle, URL.createObjectURL(photo[1])); shot.src = shots.get(x.cle); } else shot.remove();
      $('[data-what]', li).textContent = x.what;
      $('[data-why]', li).textContent = x.refused || '';
      const mend = $('[data-mend]', li), drop = $('[data-drop]', li);
      mend.hidden = !x.refused;
      mend.addEventListener('click', async () => {
        await keeps('brouillons', { cle: draftOf(x.to), fields: x.fields });
        await drops('envois', x.cle);
        location.assign(x.page);
      });
      drop.addEventListener('click', async () => {
        if (!drop.dataset.asked) { drop.dataset.asked = '1'; $('span', drop).textContent = drop.dataset.sure; return; }
        await drops('envois', x.cle); tell();
      });
      return li;
    }));
  }
  return all;
}

// send sends what waits for this seat, in its order, once each. What is refused for
// what it says would be refused again: it stays, with the reason.
let sending = false, pause = 15000, next;
const soon = () => { clearTimeout(next); next = setTimeout(send, pause); };
const send = () => navigator.locks ? navigator.locks.request('envois', { ifAvailable: true }, (l) => l && sends()) : sends(); // one tab at a time
async function sends() {
  if (sending || seat === null) return;
  sending = true;
  let some = false, left = [];
  try {
    for (const x of mine(await waiting()).filter((x) => !x.refused)) {
      const r = await post(x.to, x.fields), to = r.headers.get('Goes-To');
      if (later(r)) break;
      const doc = to ? null : await read(r);
      if (doc && !$('main#m', doc)) break; // not the hub's
      if (to || r.ok) { await drops('envois', x.cle); some = true; } else await keeps('envois', { ...x, refused: why(doc) });
      pause = 15000;
    }
  } catch { /* the network is away again */ } finally { sending = false; left = await tell(); }
  const done = !left.some((x) => !x.refused);
  if (!done) { pause = Math.min(pause * 2, 240000); soon(); }
  else if ((some || shell) && left.length === 0 && navigator.onLine && !document.activeElement?.form && !$('form[data-touched]')) location.reload();
}

// adopt shows the page that answered a form, as the browser would, and keeps the
// photographs and sounds that were chosen.
function adopt(doc, form) {
  const main = document.adoptNode($('main', doc)), again = $$('form', main).find((f) => path(f.action) === path(form.action));
  document.title = doc.title;
  for (const i of $$('input[type=file]', form)) if (i.files[0] && again?.elements[i.name]) put(again.elements[i.name], i.files[0]);
  $('main').replaceWith(main);
  wire(main);
  for (const i of $$('[data-shrink]', main)) tile(i);
  if (again) listen(again);
  tell();
  ($('.wrongs', main) || main).focus();
  scrollTo(0, 0);
}

// restore fills a form with what was kept of it. The page's own hidden fields stay,
// but the key of what was never sent: it is the same goods.
async function restore(form, fields) {
  for (const [k, v] of fields) {
    const e = form.elements[k];
    if (!e || e.type === 'hidden' && !(k === 'cle' && 'draft' in form.dataset)) continue;
    if (v instanceof File) put(e, v); else e.value = v;
  }
  for (const i of $$('[data-shrink]', form)) await tile(i);
  listen(form);
  const price = $('[data-price]', form); if (price) price.dispatchEvent(new Event('input', { bubbles: true }));
}

const fresh = () => 'frm_' + crypto.randomUUID().replace(/-/g, '');
// what a form says of itself in the list of what waits.
const called = (form) => form.elements['prix-0'] ? [form.elements.nom.value, form.elements['prix-0'].value + ' DH'].filter(Boolean).join(' · ') : $('h1').textContent;

function queues(form) {
  const own = form.elements.siege, draft = 'draft' in form.dataset, told = $('[data-drafted]', form);
  let timer;
  if (own && !own.value && seat) own.value = seat;
  if (!form.elements.cle.value) form.elements.cle.value = fresh();
  if (seat === null || !window.indexedDB) return;
  const forget = () => { clearTimeout(timer); return drops('brouillons', draftOf(form.action)); };
  const note = () => keeps('brouillons', { cle: draftOf(form.action), fields: filled(form), at: Date.now() });

  form.addEventListener('submit', async (e) => {
    stamp(form);
    e.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = '1';
    const fields = filled(form, e.submitter), key = form.elements.cle.value;
    const wait = async () => {
      await keeps('envois', { cle: key, seat, to: form.action, page: location.pathname, what: called(form), fields, at: Date.now() });
      if (draft) {
        await forget(); form.reset(); form.elements.cle.value = fresh(); delete form.dataset.touched;
        const shot = $('[data-preview]', form); shot?.replaceWith(Object.assign(document.createElement('span'), { hidden: true })); if (shot) $('.shoot span[hidden]', form).dataset.preview = '';
        $('[data-guided]', form)?.replaceChildren();
        $('.shoot .i', form)?.removeAttribute('hidden');
      } else for (const b of $$('button', form)) b.disabled = true;
      await tell(); $('[data-waiting]').scrollIntoView({ block: 'center' });
      soon();
    };
    try {
      let r, doc;
      try { r = await post(form.action, fields); doc = r.headers.get('Goes-To') ? null : await read(r); } catch { return await wait(); }
      const to = r.headers.get('Goes-To'), out = r.status === 401 || r.url.includes('/entrer');
      if (to) { await forget(); delete form.dataset.touched; location.assign(to); return; }
      if (out && draft) await note();
      if (out && !draft) await wait();
      if (out) { location.assign(location.pathname.replace(/^((?:\/(?:ar|en|zgh))?)\/.*/, '$1') + '/entrer?vers=' + encodeURIComponent(location.pathname)); return; }
      if (later(r) && (r.status !== 412 || !draft) || !$('main#m', doc)) return await wait();
      adopt(doc, form);
    } catch { form.submit(); } finally { delete form.dataset.busy; delete form.dataset.sent; }
  });

  if (draft) {
    const touched = () => { form.dataset.touched = '1'; clearTimeout(timer); timer = setTimeout(note, 300); };
    form.addEventListener('input', touched); form.addEventListener('change', touched);
    $('[data-forget]', form).addEventListener('click', async () => { await forget(); location.reload(); });
  }
  if ($('.wrongs')) return; // it has been answered just now
  (async () => {
    const kept = await does('brouillons', 'readonly', (s) => s.get(draftOf(form.action)));
    if (kept) { await restore(form, kept.fields); if (!draft) await forget(); }
    if (draft) told.hidden = !kept;
    const given = draft && window.caches && await caches.match('/v/partage', { cacheName: 'partage' });
    if (!given) return;
    const all = await given.formData(), photo = all.get('photo'), name = all.get('titre') || (all.get('texte') || '').split('\n')[0];
    await (await caches.open('partage')).delete('/v/partage');
    const empty = ([k]) => !has(form.elements[k].files ? form.elements[k].files[0] ?? '' : form.elements[k].value); // what was typed stays
    await restore(form, [...name ? [['nom', name.slice(0, 200)]] : [], ...photo?.size ? [['photo', photo]] : []].filter(empty));
    await note();
  })();
}

wire(document);
addEventListener('online', send);
document.addEventListener('visibilitychange', () => { if (!document.hidden) tell().then((all) => { if (all.some((x) => !x.refused)) send(); }); });
tell().then((all) => { if (all.some((x) => !x.refused)) send(); });
