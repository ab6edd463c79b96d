import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { faults } from '../src/decisions/faults.js'
import { refusals } from '../src/decisions/refusals.js'
import { compileErrors } from './documentation/compile-blocks.js'
import { anchorsOf, brokenLinks } from './documentation/links.js'
import { publicOptions } from './documentation/options.js'
import { codeBlocksOf, pagesOf, type Page } from './documentation/pages.js'
import { codeTable, sectionsOf } from './documentation/tables.js'
import { testTitles } from './documentation/test-titles.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = pagesOf(root)

function pageAt(path: string): Page {
  const page = pages.find((candidate) => candidate.path === path)
  if (page === undefined) throw new Error(`${path} is missing`)
  return page
}

describe('code blocks', () => {
  it('are found, and compile', () => {
    const blocks = pages.flatMap(codeBlocksOf)
    expect(blocks.length).toBeGreaterThan(0)
    expect(compileErrors(root, blocks)).toEqual([])
  }, 120_000)

  it('that do not compile are named by page and line', () => {
    const text = [
      '# Page',
      '<!-- preface: declare const known:',
      ' number -->',
      '```ts',
      'known.toFixed()',
      'unknownName()',
      '```',
      '1. a list',
      '   ```js title="a.js"',
      "   import { nothing } from 'clientele'",
      '   ```',
      '```sh',
      'not code',
      '```',
    ].join('\n')
    const errors = compileErrors(root, codeBlocksOf({ path: 'docs/a.md', text }))
    expect(errors.map((error) => error.slice(0, error.indexOf(': ')))).toEqual(['docs/a.md:6', 'docs/a.md:10'])
  }, 60_000)
})

describe('links', () => {
  it('lead somewhere', () => {
    expect(pages.flatMap((page) => brokenLinks(root, page))).toEqual([])
  })

  it('that lead nowhere are named by page and line', () => {
    const text = [
      '# A `code` title, twice',
      '# A `code` title, twice',
      '[up](../package.json) [here](#a-code-title-twice-1) [web](https://example.com/x)',
      '[gone](gone.md) ![picture](gone.png)',
      '[anchor](#nowhere)',
      '`[code](gone.md)` <a href="out.md">',
      '[definition]: ../../etc/passwd',
    ].join('\n')
    expect(brokenLinks(root, { path: 'docs/a.md', text })).toEqual([
      'docs/a.md:4: gone.md: there is no such file',
      'docs/a.md:4: gone.png: there is no such file',
      'docs/a.md:5: #nowhere: the page has no such heading',
      'docs/a.md:6: out.md: there is no such file',
      'docs/a.md:7: ../../etc/passwd: leads out of the project',
    ])
    expect([...anchorsOf({ path: 'docs/a.md', text })]).toEqual(['a-code-title-twice', 'a-code-title-twice-1'])
  })
})

describe('the index of docs', () => {
  it('lists every page', () => {
    const { text } = pageAt('docs/README.md')
    const others = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
    expect(others.filter((path) => !text.includes(`(${path.slice('docs/'.length)})`))).toEqual([])
  })
})

describe('the table of outages', () => {
  const outages = (): Page => pageAt('docs/explanation/outages.md')

  it('names in each row a test that is there', () => {
    const rows = outages()
      .text.split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (what happens|-)/.test(line))
    expect(rows.length).toBeGreaterThan(20)
    const findings = rows.flatMap((row) => {
      const [what = '', ...rest] = row.split('|').slice(1, -1)
      const tests = (rest.at(-1) ?? '').split('<br>').map((named) => /^`([\w/-]+)` (.+)$/.exec(named.trim()))
      return tests.flatMap((named) => {
        const [, file = '', title = ''] = named ?? []
        const path = `test/${file}.test.ts`
        if (!existsSync(join(root, path))) return [`${what.trim()}: no test file is named`]
        return testTitles(root, path).has(title) ? [] : [`${what.trim()}: ${path} has no "${title}"`]
      })
    })
    expect(findings).toEqual([])
  })
})

describe('the reference', () => {
  it('lists the refusals of the code with their statuses', () => {
    const table = codeTable(pageAt('docs/reference/refusals.md'), ['code', 'status'])
    expect(Object.fromEntries(table)).toEqual(
      Object.fromEntries(Object.entries(refusals).map(([code, { status }]) => [code, String(status)])),
    )
    expect(table).toHaveLength(Object.keys(refusals).length)
  })

  it('lists the faults of the code with their statuses', () => {
    const table = codeTable(pageAt('docs/reference/faults.md'), ['code', 'status'])
    expect(Object.fromEntries(table)).toEqual(
      Object.fromEntries(Object.entries(faults).map(([code, { status }]) => [code, String(status ?? '–')])),
    )
    expect(table).toHaveLength(Object.keys(faults).length)
  })

  it('explains each refusal and fault under a heading of its own', () => {
    for (const [path, codes] of [
      ['docs/reference/refusals.md', Object.keys(refusals)],
      ['docs/reference/faults.md', Object.keys(faults)],
    ] as const) {
      const anchors = anchorsOf(pageAt(path))
      expect(codes.filter((code) => !anchors.has(code.toLowerCase()))).toEqual([])
    }
  })

  // A section is headed by the functions it is about; a row of its tables starts with an option in backticks.
  it('lists every option of every public function in options.md, and no other', () => {
    const sections = sectionsOf(pageAt('docs/reference/options.md'))
    const findings: string[] = []
    const functions = publicOptions(root)
    for (const [name, options] of functions) {
      const own = sections.filter(({ heading }) => names(heading, name))
      const listed = new Set(own.flatMap((section) => section.names))
      const missing = [...options].filter((option) => !listed.has(option))
      if (missing.length === 0) continue
      findings.push(`${own.length === 0 ? 'no heading names' : 'not listed under'} ${name}: ${missing.join(', ')}`)
    }
    for (const { heading, line, names: listed } of sections) {
      const known = [...functions].filter(([name]) => names(heading, name)).flatMap(([, options]) => [...options])
      if (known.length === 0) continue
      for (const name of listed.filter((each) => !known.includes(each.split('.')[0] ?? ''))) {
        findings.push(`options.md:${line}: ${heading}: there is no option ${name}`)
      }
    }
    expect(findings).toEqual([])
  }, 60_000)

  it('knows the options that users can give', () => {
    const functions = publicOptions(root)
    expect([...(functions.get('clientele') ?? [])]).toContain('api')
    expect([...(functions.get('limitBySla') ?? [])].sort()).toEqual([
      'actualCost',
      'cost',
      'count',
      'enforce',
      'fields',
      'whenCounterFails',
    ])
    expect([...(functions.get('validateJwt') ?? [])]).toContain('audience')
    expect([...(functions.get('headers') ?? [])].sort()).toEqual(['id', 'secret'])
  }, 60_000)
})

function names(heading: string, name: string): boolean {
  return new RegExp(`(^|[^A-Za-z])${name}([^A-Za-z]|$)`).test(heading)
}
