// The browser: the machine's own Chromium, as quiet as it gets.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

export const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', process.env.CHROMIUM].find(p => p && existsSync(p))

export function chrome(...more) {
  if (!program) throw new Error('no Chromium: apt-get install chromium, or say where it is in CHROMIUM')
  return chromium.launch({
    executablePath: program,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
  })
}
