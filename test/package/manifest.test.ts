import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageEntries } from '../../package-entries.js'
import { Consumer, manifestOf, packedTarball } from './support/consumer.js'

describe('the tarball', () => {
  let consumer: Consumer
  let files: readonly string[]
  beforeAll(async () => {
    consumer = await Consumer.make({ dependencies: [] })
    files = readdirSync(consumer.package, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(consumer.package.length + 1))
  })
  afterAll(() => {
    consumer.remove()
  })

  /** By file, the modules that it names: imported, imported later, or for types. */
  const importsOf = (extension: string): [file: string, name: string][] =>
    files
      .filter((file) => file.endsWith(extension))
      .flatMap((file) => {
        const text = readFileSync(join(consumer.package, file), 'utf8')
        return modulesIn(file, text).map((name): [string, string] => [file, name])
      })

  it('has nothing that publint would change', async () => {
    const { messages } = await publint({ pack: { tarball: bytesOf(packedTarball()).buffer }, strict: true })
    expect(messages).toEqual([])
  })

  /**
   * Two findings are meant. `node10` is how TypeScript resolved before packages had exports: unsupported, as with jose.
   * CommonJS that resolves to ESM is no mistake from Node 20.19 and 22.12 on, where require() loads it.
   */
  it('has types that are right, in each way of resolving that knows exports', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(bytesOf(packedTarball())))
    const { problems } = analysis as Extract<typeof analysis, { types: object }>
    const found = problems.map((problem) =>
      'entrypoint' in problem
        ? `${problem.kind} ${problem.resolutionKind} ${problem.entrypoint.replace('.', 'clientele')}`
        : problem.kind,
    )
    const meant = packageEntries.flatMap(({ name }) => [
      `NoResolution node10 ${name}`,
      `CJSResolvesToESM node16-cjs ${name}`,
    ])
    expect(found.sort()).toEqual(meant.sort())
  })

  it('holds what was built, the pages and no source, test or map', () => {
    const expected = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|dist\/[\w-]+\.(js|d\.ts)|docs\/.+)$/
    expect(files.filter((file) => !expected.test(file))).toEqual([])
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'dist/index.js', 'docs/reference/options.md']),
    )
  })

  it('imports nothing that it does not declare', () => {
    const { dependencies = {}, peerDependencies = {} } = manifestOf(consumer.package)
    const declared = [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
    const imports = importsOf('.js').filter(([, name]) => !name.startsWith('.') && !isBuiltin(name))
    expect(imports.map(([, name]) => name)).toEqual(expect.arrayContaining(['zod', 'jose', 'lmdb', 'openid-client']))
    expect(imports.filter(([, name]) => !declared.includes(name))).toEqual([])
  })

  it('has declarations that name no type but its own and those of Node', () => {
    const imports = importsOf('.d.ts')
    expect(imports.map(([, name]) => name)).toContain('node:http')
    expect(imports.filter(([, name]) => !name.startsWith('./') && !name.startsWith('node:'))).toEqual([])
  })

  it('runs nothing when it is installed', () => {
    const { scripts = {} } = manifestOf(consumer.package)
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name))).toEqual([])
  })
})

function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(file))
}

/** Parsed and not scanned: a quote within a regular expression would end what a scanner finds. */
function modulesIn(file: string, text: string): string[] {
  const names: string[] = []
  const visit = (node: ts.Node): void => {
    const named =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined
    if (named !== undefined && ts.isStringLiteralLike(named)) names.push(named.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest))
  return names
}
