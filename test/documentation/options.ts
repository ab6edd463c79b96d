import { join } from 'node:path'
import ts from 'typescript'
import { packageEntries } from '../../package-entries.js'

/** The options of public functions, by the name of the function. */
export type OptionNames = Map<string, Set<string>>

/** Entries whose functions take options. What is published for tests explains itself. */
const files = packageEntries.filter(({ name }) => name !== 'clientele/testing').map(({ source }) => source)

/**
 * Every option of every function that users can call: exported ones, and those that `clientele()` returns. An object
 * of options is told from a port (a store, a counter) and from a request by holding data and no methods, and by being
 * declared in src.
 */
export function publicOptions(root: string): OptionNames {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(files, options)
  const found: OptionNames = new Map()
  for (const file of files) {
    const source = program.getSourceFile(file)
    const module = source && program.getTypeChecker().getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`${file} exports nothing`)
    collect(program, module, root, found)
  }
  return found
}

function collect(program: ts.Program, module: ts.Symbol, root: string, found: OptionNames): void {
  const checker = program.getTypeChecker()
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    if (!(symbol.flags & ts.SymbolFlags.Function)) continue
    const type = checker.getTypeOfSymbol(symbol)
    addOptions(checker, root, exported.name, type, found)
    if (exported.name !== 'clientele') continue
    for (const signature of type.getCallSignatures()) {
      for (const member of checker.getReturnTypeOfSignature(signature).getProperties()) {
        if (isOurs(member, root)) addOptions(checker, root, member.name, checker.getTypeOfSymbol(member), found)
      }
    }
  }
}

/** Take what the framework hands a handler, of which the types say only what is used of it. */
const takeRequests: readonly string[] = ['admissionOf', 'setActualCost']

function addOptions(checker: ts.TypeChecker, root: string, name: string, type: ts.Type, found: OptionNames): void {
  if (takeRequests.includes(name)) return
  for (const signature of type.getCallSignatures()) {
    for (const parameter of signature.parameters) {
      const given = checker.getNonNullableType(checker.getTypeOfSymbol(parameter))
      for (const option of optionsOf(checker, root, given)) found.set(name, (found.get(name) ?? new Set()).add(option))
    }
  }
}

function optionsOf(checker: ts.TypeChecker, root: string, type: ts.Type): string[] {
  if (type.isUnionOrIntersection()) return type.types.flatMap((part) => optionsOf(checker, root, part))
  const properties = type.getProperties()
  const isData =
    (type.flags & ts.TypeFlags.Object) !== 0 &&
    type.getCallSignatures().length === 0 &&
    !type.isClass() &&
    properties.every((property) => isOurs(property, root) && !(property.flags & ts.SymbolFlags.Method))
  return isData ? properties.map((property) => property.name) : []
}

function isOurs(symbol: ts.Symbol, root: string): boolean {
  return (
    symbol.declarations?.every((declaration) => declaration.getSourceFile().fileName.startsWith(join(root, 'src'))) ??
    false
  )
}
