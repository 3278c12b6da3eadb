// The journeys: who does what from the first tap to the last, in a real browser.
// Each says what it took; what is broken on the way is a broken gate.
import * as buy from './journeys/buy.mjs'
import * as sell from './journeys/sell.mjs'
import * as tunnel from './journeys/tunnel.mjs'
import * as operate from './journeys/operate.mjs'

// before are the journeys that the pages stand on: they leave orders, a complaint
// and what waits for an operator behind. Those with true are in the short form.
export const before = [
  ['a stranger buys by card', buy.stranger, true],
  ['a buyer comes back', buy.known],
  ['pressed twice', buy.twice],
  ['in Arabic, at the door', buy.atTheDoor],
  ['a buyer without scripts', buy.scriptless],
  ['signing in', buy.signsIn],
  ['sold in a tunnel', sell.offline, true],
  ['refused after a tunnel', tunnel.refused],
  ['a wrong code from a tunnel', tunnel.wrongCode],
  ['connected to nothing', tunnel.connected],
  ['one telephone, two cooperatives', tunnel.shared],
  ['signed out while typing', tunnel.expired],
  ['shared by another program', tunnel.shares],
  ['handed over by code', sell.byCode],
  ['brought by link', sell.courier],
  ['a seller without scripts', sell.scriptless],
  ['something is wrong', buy.complains],
  ['the seller answers', sell.answers],
  ['what waits', operate.waits],
]

// after are those that clear away what the pages showed.
export const after = [['three exceptions by keys', operate.exceptions]]

// travel takes journeys, one after another, and writes what they took.
export async function travel(all, { hub, browser, found, photo, only = '' }) {
  const rows = [], broken = []
  for (const [name, go] of all) {
    if (only && !new RegExp(only).test(name)) continue
    const wrong = [], began = Date.now()
    const is = (so, what) => { if (!so) wrong.push(what) }
    const check = (what, p, most) => {
      const took = p.counts()
      rows.push([what, took.taps, took.presses, took.typed, took.pages, (took.down / 1024).toFixed(1), (took.up / 1024).toFixed(1)])
      for (const [k, n] of Object.entries(most)) if (took[k] > n) wrong.push(`${what} takes ${took[k]} of ${k}, ${n} at most`)
    }
    try {
      const p = await go({ hub, browser, found, photo, is, check })
      wrong.push(...p.wrong.splice(0))
      if (p !== found.operator?.desk) await p.leaves()
    } catch (e) {
      wrong.push(e.message.split('\n').slice(0, 4).join(' '))
    }
    if (process.env.SHOW) console.error(name, ((Date.now() - began) / 1000).toFixed(1), 's', wrong)
    broken.push(...wrong.map(w => `journey «${name}»: ${w}`))
  }
  return { rows, broken }
}
