// What this desk does beyond plain links and forms. Without it everything still works.
// j and k go from row to row, Enter opens one; a letter opens the form that carries it; Escape closes it.
const rows = () => [...document.querySelectorAll('main [data-row]')].filter(r => r.querySelector('a'))
const typing = e => e.target.closest('input,select,textarea') || e.ctrlKey || e.metaKey || e.altKey
const go = by => {
  const all = rows(), now = all.findIndex(r => r.classList.contains('on'))
  if (!all.length) return
  const next = all[Math.min(Math.max(now + by, 0), all.length - 1)]
  all[now]?.classList.remove('on')
  next.classList.add('on')
  next.querySelector('a').focus()
  next.scrollIntoView({block: 'nearest'})
}
const open = form => {
  form.open = true
  const first = form.querySelector('input:not([type=hidden]),select,textarea,button')
  first?.focus()
}
addEventListener('keydown', e => {
  if (e.key === 'Escape') return void e.target.closest('details[open]')?.removeAttribute('open')
  if (typing(e)) return
  if (e.key === 'j') go(1)
  else if (e.key === 'k') go(-1)
  else if (e.key === 'n') { // the note of the open form, else of the first that has one
    const note = document.querySelector('.act[open] [name$=_note],section.act [name$=_note]') || document.querySelector('.act [name$=_note]')
    if (!note) return
    e.preventDefault()
    note.closest('details')?.setAttribute('open', '')
    note.focus()
  } else if (/^[a-z]$/.test(e.key)) {
    const form = document.querySelector(`[data-letter="${e.key}"]`)
    if (!form) return
    e.preventDefault()
    if (form.tagName === 'DETAILS') open(form)
    else form.querySelector('button').focus()
  }
})
document.querySelector('.wrongs')?.focus()
