import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageEntries } from '../../package-entries.js'
import { Consumer } from './support/consumer.js'

const page = readFileSync(fileURLToPath(new URL('../../docs/reference/exports.md', import.meta.url)), 'utf8')

describe('what each entry exports', () => {
  let consumer: Consumer
  let declared: ReadonlyMap<string, readonly string[]>
  beforeAll(async () => {
    consumer = await Consumer.make({})
    declared = declaredExports(consumer.package)
  })
  afterAll(() => {
    consumer.remove()
  })

  it.each(packageEntries)('$name: stands in the reference, name by name, and nothing else does', ({ name }) => {
    expect(documented(name)).toEqual(declared.get(name))
  })

  it.each(packageEntries)(
    '$name: is there when the program runs, as far as it is more than a type',
    async ({ name }) => {
      const program = `console.log(Object.keys(await import('${name}')).join(' '))`
      const { stdout } = await consumer.node('--input-type=module', '--eval', program)
      const values = declared.get(name)?.filter((each) => !each.endsWith(' type'))
      expect(stdout.trim().split(' ').sort()).toEqual(values?.map((each) => each.split(' ')[0]))
    },
  )
})

/** `name kind` of each row below the heading of the entry. */
function documented(entry: string): string[] {
  const section = page.split(/^## /m).find((each) => each.startsWith(`${entry}\n`)) ?? ''
  return [...section.matchAll(/^\| `(\w+)` +\| (\w+) /gm)].map(([, name = '', kind = '']) => `${name} ${kind}`).sort()
}

/** The same of the declarations that are published. */
function declaredExports(folder: string): Map<string, string[]> {
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] }
  const files = packageEntries.map(({ output }) => join(folder, `dist/${output}.d.ts`))
  const program = ts.createProgram(files, { ...options, noLib: true })
  const checker = program.getTypeChecker()
  return new Map(
    packageEntries.map(({ name }, index) => {
      const source = program.getSourceFile(files[index] ?? '')
      const module = source && checker.getSymbolAtLocation(source)
      const exported = module === undefined ? [] : checker.getExportsOfModule(module)
      return [name, exported.map((symbol) => `${symbol.name} ${kindOf(checker, symbol)}`).sort()]
    }),
  )
}

function kindOf(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  const typeOnly = symbol.declarations?.some(ts.isTypeOnlyExportDeclaration) ?? false
  const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  if (typeOnly || !(flags & ts.SymbolFlags.Value)) return 'type'
  if (flags & ts.SymbolFlags.Function) return 'function'
  return flags & ts.SymbolFlags.Class ? 'class' : 'constant'
}
