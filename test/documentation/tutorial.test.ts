import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freePort } from '../examples/running-example.js'
import { describeWithProgram } from '../support/needs.js'
import { Terminal } from './terminal.js'
import { atPort, save, shownIn, stepsOf } from './walk.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pageOf = (path: string): string => readFileSync(join(root, path), 'utf8')

/** In place of `npm install`: the packages of this project, and the package from its sources. */
const environment = { NODE_OPTIONS: '--import tsx', TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') }

describeWithProgram('curl', '--version')('followed to the letter in an empty folder,', () => {
  let folder: string
  let first: Terminal
  let second: Terminal

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clientele-tutorial-'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    first = new Terminal(folder, environment)
    second = new Terminal(folder, environment)
  })
  afterEach(async () => {
    await Promise.all([first.close(), second.close()])
    rmSync(folder, { recursive: true })
  })

  it('the tutorial shows what comes', async () => {
    const port = await freePort()
    let printed = ''
    let shown = 0
    for (const step of stepsOf(pageOf('docs/tutorial.md'))) {
      const { language, code, saveAs } = step
      if (saveAs !== undefined) await save(folder, step, port)
      else if (code.includes('npm install')) await second.paste('echo \'{ "type": "module" }\' > package.json')
      else if (/^node api\.c?js\n$/.test(code)) {
        await first.close()
        first = new Terminal(folder, environment)
        await first.start(code, /^http:.*\/orders$/m)
      } else if (language === 'sh') printed = await second.paste(atPort(code, port))
      else {
        expect(shownIn(code, printed), `shown:\n${code}\nprinted:\n${printed}`).toBe(true)
        if (language === 'text') expect(printed).toBe(code)
        shown += 1
      }
    }
    expect(shown).toBe(8)
  }, 60_000)

  it('the README prints a line to paste, which counts to a 429', async () => {
    const port = await freePort()
    const app = stepsOf(pageOf('README.md')).find(({ language }) => language === 'js')
    if (app === undefined) throw new Error('the README has no app')
    await save(folder, { ...app, saveAs: 'app.mjs' }, port)
    const line = /^curl .*$/m.exec(await first.start('node app.mjs', /^curl .*\n/m))?.[0] ?? ''
    for (const left of [2, 1, 0]) expect(await second.paste(line)).toContain(`"remaining":${left}`)
    expect(await second.paste(line)).toMatch(/^HTTP\/1\.1 429 [\s\S]*^Retry-After: \d+/m)
    expect(await second.paste(line.replace(/ -H 'client_secret.*/, ''))).toContain(' 401 ')
  }, 60_000)

  it('the guide to testing has tests that pass', async () => {
    const tests = stepsOf(pageOf('docs/guides/testing.md')).filter(({ language }) => language === 'js')
    await Promise.all(tests.map((step, at) => save(folder, { ...step, saveAs: `${at}.test.mjs` }, 0)))
    expect(tests).toHaveLength(2)
    expect(await first.paste('node --test --test-reporter=tap')).toMatch(/^# pass 2\n# fail 0$/m)
  }, 60_000)
})
