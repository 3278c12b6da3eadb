// The wire between a browser and the hub: it counts each byte that passes, those
// of service workers and of what is sent included, and can be cut when an answer
// comes, as in a tunnel, or be dead while the telephone says that it is connected.
import { connect, createServer } from 'node:net'

export async function wire(port) {
  const w = { down: 0, up: 0, asked: 0, cut: false, dead: false, lost: 0, close: () => server.close() }
  const server = createServer(near => {
    const far = connect(port, '127.0.0.1')
    let people = false // partners' calls come through here too, and are not counted
    near.on('data', b => {
      const text = b.toString('latin1')
      people ||= /\r\nuser-agent: Mozilla/i.test(text)
      if (!people) return
      if (w.dead) { near.destroy(); far.destroy(); return }
      w.up += b.length
      w.asked += (text.match(/^(GET|POST|HEAD|PUT|DELETE) \/\S* HTTP\/1\.1\r\n/gm) || []).length
    })
    far.on('data', b => {
      if (!people) return
      if (w.cut) { w.lost++; near.destroy(); far.destroy(); return }
      w.down += b.length
    })
    near.pipe(far)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.on('close', () => far.destroy())
    far.pipe(near)
    far.on('close', () => near.destroy())
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  w.port = server.address().port
  w.mark = () => ({ down: w.down, up: w.up, asked: w.asked })
  w.since = m => ({ down: w.down - m.down, up: w.up - m.up, asked: w.asked - m.asked })
  return w
}
