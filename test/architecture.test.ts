import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { importViolations } from './architecture/import-violations.js'
import {
  indexOnlyReExports,
  kebabCaseName,
  noAny,
  noSilencedCompiler,
  smallFiles,
  smallFunctions,
  sourceFilesBelow,
  type SourceRule,
} from './architecture/source-rules.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const lines = (count: number): string => 'work()\n\n// why\n'.repeat(count)

/** Each rule with files that break it: a rule that never fires would hold nothing. */
const sourceRules: Record<
  string,
  { rule: SourceRule; broken: Record<string, string>; allowed: Record<string, string> }
> = {
  'uses no any': {
    rule: noAny,
    broken: { 'a.ts': 'let a: any', 'b.ts': 'export const b = (c: unknown) => c as Record<string, any[]>' },
    allowed: { 'a.ts': '/** any */ const any = { any: "any" }' },
  },
  'silences no compiler': {
    rule: noSilencedCompiler,
    broken: { 'a.ts': '// @ts-ignore\nlet a', 'b.ts': '/* @ts-nocheck */' },
    allowed: { 'a.ts': 'let tsIgnore' },
  },
  'names files in kebab-case': {
    rule: kebabCaseName,
    broken: { 'anyOf.ts': '', 'Any.ts': '', 'any_of.ts': '' },
    allowed: { 'any-of.ts': '', 'sha256.ts': '' },
  },
  're-exports, and no more, in index.ts': {
    rule: indexOnlyReExports,
    broken: { 'index.ts': "import './a.js'", 'b/index.ts': 'export const a = 1', 'c/index.ts': 'export {}' },
    allowed: { 'index.ts': "export { a } from './a.js'\nexport type * from './b.js'", 'a.ts': 'export const a = 1' },
  },
  'keeps files within 150 lines of code': {
    rule: smallFiles,
    broken: { 'a.ts': lines(151), 'b.ts': `const a = \`${'\n'.repeat(150)}\`` },
    allowed: { 'a.ts': lines(150), 'b.ts': `/*${'\n'.repeat(500)}*/` },
  },
  'keeps functions within 30 lines of code': {
    rule: smallFunctions,
    broken: {
      'a.ts': `function a() {\n${lines(29)}}`,
      'b.ts': `const b = () => {\n${lines(29)}}`,
      'c.ts': `class C {\n  get c() {\n${lines(29)}}\n}`,
    },
    allowed: { 'a.ts': `function a() {\n${lines(28)}}\n${lines(40)}` },
  },
}

describe('the source', () => {
  const files = sourceFilesBelow(root, 'src')

  it('is found', () => {
    expect(files.length).toBeGreaterThan(50)
  })

  for (const [title, { rule, broken, allowed }] of Object.entries(sourceRules)) {
    it(title, () => {
      expect(files.flatMap(rule)).toEqual([])
    })

    it(`${title}: the rule fires`, () => {
      for (const [path, text] of Object.entries(broken)) expect([path, rule({ path, text }).length]).toEqual([path, 1])
      for (const [path, text] of Object.entries(allowed)) expect(rule({ path, text })).toEqual([])
    })
  }
})

/** What each rule forbids: the rule, the file that breaks it, what it imports. */
const forbiddenImports: [rule: string, from: string, to: string][] = [
  ['folder-decisions', 'src/decisions/a.ts', '../runtime/clock.js'],
  ['folder-runtime', 'src/runtime/a.ts', '../http/target.js'],
  ['folder-contracts', 'src/contracts/a.ts', '../limits/target.js'],
  ['folder-http', 'src/http/a.ts', '../contracts/model.js'],
  ['folder-credentials', 'src/credentials/a.ts', '../http/target.js'],
  ['folder-tokens', 'src/tokens/a.ts', '../http/target.js'],
  ['folder-limits', 'src/limits/a.ts', '../contracts/model.js'],
  ['folder-stores', 'src/stores/a.ts', '../limits/target.js'],
  ['folder-policies', 'src/policies/a.ts', '../stores/target.js'],
  ['folder-adapters', 'src/adapters/a.ts', '../policies/target.js'],
  ['folder-testing', 'src/testing/a.ts', '../policies/target.js'],
  ['policies-apart', 'src/policies/limit-by-sla.ts', './any-of.js'],
  ['known-folders', 'src/helpers/a.ts', '../decisions/policy.js'],
  ['source-alone', 'src/c.ts', '../test/target.js'],
  ['no-unresolvable', 'src/d.ts', './nowhere.js'],
  ['no-cycles', 'src/e.ts', './f.js'],
  ['frameworks', 'src/policies/g.ts', 'express'],
  ['frameworks', 'src/http/g.ts', 'koa'],
  ['package-jose', 'src/policies/h.ts', 'jose'],
  ['package-openid-client', 'src/clientele.ts', 'openid-client'],
  ['package-lmdb', 'src/stores/memory.ts', 'lmdb'],
  ['package-ipaddr.js', 'src/policies/i.ts', 'ipaddr.js'],
  ['known-packages', 'src/i.ts', 'keyv'],
]

const allowedImports: [from: string, to: string][] = [
  ['src/f.ts', './e.js'],
  ['src/limits/b.ts', '../decisions/policy.js'],
  ['src/runtime/disk-engine.ts', 'lmdb'],
  ['src/tokens/b.ts', 'jose'],
  ['src/adapters/b.ts', 'express'],
  ['src/adapters/c.ts', '../clientele.js'],
  ['src/policies/b.ts', '../contracts/store.js'],
]

describe('imports', () => {
  const bad = mkdtempSync(join(tmpdir(), 'clientele-architecture-'))
  const write = (path: string, text: string): void => {
    mkdirSync(join(bad, dirname(path)), { recursive: true })
    writeFileSync(join(bad, path), text)
  }
  afterAll(() => {
    rmSync(bad, { recursive: true })
  })

  it('keep to the rules of the house', async () => {
    const { files, violations } = await importViolations(root)
    expect(files).toBeGreaterThan(50)
    expect(violations).toEqual([])
  })

  it('are held by rules that fire, for types too, and where they should not they do not', async () => {
    symlinkSync(join(root, 'node_modules'), join(bad, 'node_modules'))
    const targets = forbiddenImports.flatMap(([, from, to]) => (to.startsWith('.') ? [join(dirname(from), to)] : []))
    for (const target of [...targets, 'src/decisions/policy.js', 'src/contracts/model.js', 'src/contracts/store.js']) {
      if (!target.endsWith('nowhere.js')) write(target.replace(/js$/, 'ts'), 'export type A = 1\n')
    }
    for (const [from, to] of allowedImports) write(from, `import type * as target from '${to}'\n`)
    for (const [, from, to] of forbiddenImports) write(from, `import type * as target from '${to}'\n`)

    const { violations } = await importViolations(bad)
    const fired = violations.map(({ rule, from }) => `${rule} ${from}`)
    const expected = forbiddenImports.map(([rule, from]) => `${rule} ${from}`)
    // A cycle is reported at one of its ends or at both.
    const cycle = /^no-cycles src\/[ef]\.ts$/
    expect(fired.filter((line) => !cycle.test(line)).sort()).toEqual(
      expected.filter((line) => !cycle.test(line)).sort(),
    )
    expect(fired.some((line) => cycle.test(line))).toBe(true)
  })
})
