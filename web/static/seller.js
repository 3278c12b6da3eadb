// What the desks of sellers and couriers do beyond plain links and forms: prices are
// shown as notes while they are typed, photographs are made small before they
// travel, names are spoken, and what is sent without a network is kept and sent
// once when it is back. Without it everything still works.
const $ = (s, at = document) => at.querySelector(s), $$ = (s, at = document) => [...at.querySelectorAll(s)];

// Keys beside a number.
for (const b of $$('[data-step]')) {
  b.addEventListener('click', () => {
    const i = $('input', b.parentElement), n = parseFloat(i.value.replace(',', '.').replace(/\s/g, '')) || 0;
    i.value = String(Math.max(0, Math.round((n + Number(b.dataset.step)) * 100) / 100)).replace('.', document.documentElement.lang === 'en' ? '.' : ',');
    i.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

// What a price means.
for (const form of $$('[data-guide]')) {
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

// A photograph of at most 1280 pixels and 200 KB, without the place that cameras
// write into it.
async function shrink(file) {
  const bmp = await createImageBitmap(file, { imageOrientation: 'from-image' });
  let side = 1280;
  for (let q = 0.75; ; q -= 0.1) {
    if (q < 0.35) { q = 0.65; side = Math.round(side * 0.75); }
    const k = Math.min(1, side / Math.max(bmp.width, bmp.height)), c = document.createElement('canvas');
    c.width = Math.max(1, Math.round(bmp.width * k)); c.height = Math.max(1, Math.round(bmp.height * k));
    c.getContext('2d').drawImage(bmp, 0, 0, c.width, c.height);
    const out = await new Promise((r) => c.toBlob(r, 'image/jpeg', q));
    if (!out || out.size <= 200 * 1024 || side < 320) return out && new File([out], 'photo.jpg', { type: 'image/jpeg' });
  }
}
const put = (input, file) => { const d = new DataTransfer(); d.items.add(file); input.files = d.files; };
for (const i of $$('[data-shrink]')) {
  i.addEventListener('change', async () => {
    if (!i.files[0]) return;
    if (!i.files[0].type.startsWith('image/')) { $('.label', i.closest('.shoot')).textContent = i.files[0].name; return; } // a paper
    try { const f = await shrink(i.files[0]); if (f) put(i, f); } catch { /* the hub takes it as it is */ }
    const img = new Image();
    img.alt = ''; img.dataset.preview = ''; img.src = URL.createObjectURL(i.files[0]);
    $('[data-preview]', i.closest('.shoot')).replaceWith(img);
    const icon = $('.i', i.closest('.shoot')); if (icon) icon.remove();
  });
}

// A spoken name, fifteen seconds at most.
for (const b of $$('[data-record]')) {
  const field = $('[name=voix]', b.form), heard = $('[data-heard]', b.form), said = b.getAttribute('aria-label');
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
      heard.src = URL.createObjectURL(field.files[0]); heard.hidden = false;
      b.setAttribute('aria-pressed', 'false'); b.setAttribute('aria-label', said);
    };
    rec.start(); b.setAttribute('aria-pressed', 'true'); b.setAttribute('aria-label', b.dataset.stop);
  });
}

// Where and when a delivery was proved.
if ($('[data-spot]') && navigator.geolocation) {
  const ask = () => navigator.geolocation.getCurrentPosition((p) => {
    const at = [p.coords.latitude.toFixed(5), p.coords.longitude.toFixed(5), Math.min(100000, Math.round(p.coords.accuracy))].join(',');
    $$('[data-spot]').forEach((i) => { i.value = at; });
  }, () => {}, { maximumAge: 60000, timeout: 8000 });
  document.addEventListener('focusin', ask, { once: true });
}
const stamp = (form) => { const w = $('[data-when]', form); if (w && !w.value) w.value = new Date().toISOString().slice(0, 19) + 'Z'; };

// Reading the buyer's square: its last four digits are the code, if it holds one.
for (const b of $$('[data-scan]')) {
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

// The queue of what waits for the network: each form as it was, with its own key, so
// that the hub does it once however often it is sent. Money is never in it.
const store = () => new Promise((ok, no) => {
  const r = indexedDB.open('vendeur', 1);
  r.onupgradeneeded = () => r.result.createObjectStore('envois', { keyPath: 'cle' });
  r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error);
});
const does = async (mode, f) => {
  const db = await store();
  return new Promise((ok, no) => {
    const t = db.transaction('envois', mode), r = f(t.objectStore('envois'));
    t.oncomplete = () => { db.close(); ok(r && r.result); }; t.onerror = t.onabort = () => { db.close(); no(t.error); };
  });
};
async function tell() {
  let all = [];
  try { all = await does('readonly', (s) => s.getAll()); } catch { return all; }
  for (const w of $$('[data-waiting]')) {
    w.hidden = all.length === 0;
    w.textContent = all.length === 1 ? w.dataset.one : w.dataset.many.replace('{n}', all.length);
  }
  return all;
}
let sending = false;
async function send() {
  if (sending || !navigator.onLine) return;
  sending = true;
  let some = false;
  try {
    for (const x of (await tell()).sort((a, b) => a.at - b.at)) {
      const body = new FormData();
      for (const [k, v] of x.fields) body.append(k, v);
      const r = await fetch(x.to, { method: 'POST', body, redirect: 'follow' });
      // Refused for what it says, it would be refused again; signed out or broken, it waits.
      if (r.url.includes('/entrer') || r.status >= 500 || [401, 403, 408, 429].includes(r.status)) break;
      await does('readwrite', (s) => s.delete(x.cle)); some = true;
    }
  } catch { /* the network is away again */ } finally { sending = false; }
  if ((await tell()).length === 0 && some && !document.activeElement?.form) location.reload();
}
for (const form of $$('form[data-queue]')) {
  if (!form.dataset.queue || !window.indexedDB) continue;
  form.addEventListener('submit', async (e) => {
    stamp(form);
    if (navigator.onLine) return;
    e.preventDefault();
    const fields = [...new FormData(form, e.submitter)].filter(([, v]) => !(v instanceof File && v.size === 0));
    try {
      await does('readwrite', (s) => s.put({ cle: form.elements.cle.value, to: form.action, fields, at: Date.now() }));
      await tell(); $('[data-waiting]').scrollIntoView({ block: 'center' });
      for (const b of $$('button', form)) b.disabled = true;
    } catch { form.submit(); }
  });
}
addEventListener('online', send);
tell().then((all) => { if (all.length) send(); });
