import { expect, it } from 'vitest'
import { describeWithProgram } from '../support/needs.js'
import { freePort, paste, RunningExample } from './running-example.js'

describeWithProgram('curl', '--version')('a small example', () => {
  it.each(['express.ts', 'koa.ts'])('%s runs, and counts to a 429', async (script) => {
    const example = await RunningExample.start(script, { PORT: String(await freePort()) }, /^curl .*\n/m)
    try {
      const command = /^curl .*$/m.exec(example.stdout)?.[0] ?? ''
      for (const left of [2, 1, 0]) {
        const answer = await paste(command)
        expect(answer).toContain(' 200 OK')
        expect(answer).toContain(`{"hello":"Acme","tier":"trial","left":${left}}`)
      }
      expect(await paste(command)).toContain(' 429 Too Many Requests')
      expect(await paste(command.replace(/ -u .*/, ''))).toContain(' 401 Unauthorized')
      expect(example.stderr).toBe('')
    } finally {
      await example.stop('SIGKILL')
    }
  })
})
