import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageEntries } from '../../package-entries.js'
import { Consumer } from './support/consumer.js'

const typeTests = fileURLToPath(new URL('../types', import.meta.url))

/** Whatever a careful user may switch on, and no library that a declaration could lean on unseen. */
const strict = {
  target: 'es2022',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  noEmit: true,
}
const resolutions = {
  nodenext: { ...strict, module: 'nodenext' },
  bundler: { ...strict, module: 'preserve', moduleResolution: 'bundler' },
}

const settings = (compilerOptions: object, include: readonly string[]): string =>
  JSON.stringify({ compilerOptions, include })

/** All of every entry, so that each of its declarations is read. */
const everything = packageEntries
  .map(({ name }, index) => `import * as entry${index} from '${name}'\nconsole.log(entry${index})\n`)
  .join('')

describe('TypeScript with no types but those of Node', () => {
  let consumer: Consumer
  beforeAll(async () => {
    // Nobody else's types may be needed: what the package depends on is not even there.
    consumer = await Consumer.make({ packages: ['@types/node'], dependencies: [] })
    consumer.write('everything.ts', everything)
  })
  afterAll(() => {
    consumer.remove()
  })

  for (const [name, compilerOptions] of Object.entries(resolutions)) {
    it(`reads every declaration with moduleResolution ${name}`, async () => {
      consumer.write(`${name}.json`, settings(compilerOptions, ['everything.ts']))
      expect(await consumer.tsc(`${name}.json`)).toBe('')
    })
  }

  it('can write down the types of what a user exports', async () => {
    consumer.add('own-exports.ts')
    const emitting = { noEmit: false, declaration: true, emitDeclarationOnly: true, skipLibCheck: true }
    const declaring = { ...resolutions.nodenext, ...emitting }
    consumer.write('own-exports.json', settings(declaring, ['own-exports.ts']))
    expect(await consumer.tsc('own-exports.json')).toBe('')
  })

  // Node 10's way of resolving knows no exports. TypeScript deprecates it, and says itself what to do.
  it('is told what to set where moduleResolution is node10', async () => {
    const node10 = { ...strict, module: 'es2022', moduleResolution: 'node10', skipLibCheck: true }
    consumer.write('node10.json', settings(node10, ['everything.ts']))
    expect(await consumer.tsc('node10.json')).toMatch(/Consider updating to 'node16', 'nodenext', or 'bundler'/)
  })
})

describe('TypeScript with the types of the frameworks', () => {
  let consumer: Consumer
  beforeAll(async () => {
    consumer = await Consumer.make({
      packages: ['@keyv/redis', '@koa/router', '@types/express', '@types/koa', '@types/node', 'keyv', 'keyv6'],
      dependencies: [],
    })
    cpSync(typeTests, join(consumer.folder, 'types'), { recursive: true })
  })
  afterAll(() => {
    consumer.remove()
  })

  for (const [name, compilerOptions] of Object.entries(resolutions)) {
    it(`compiles what users write, and no mistake, with moduleResolution ${name}`, async () => {
      consumer.write(`${name}.json`, settings(compilerOptions, ['types']))
      expect(await consumer.tsc(`${name}.json`)).toBe('')
    })
  }
})
