import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What a user imports, and where it comes from. */
export interface PackageEntry {
  /** As in `import … from`. */
  readonly name: string
  /** Below dist, without an extension. */
  readonly output: string
  /** The file of src, absolute. */
  readonly source: string
}

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

interface Settings {
  readonly compilerOptions: { readonly paths: Readonly<Record<string, readonly [string]>> }
}

/**
 * The entries of the package, for whatever goes through all of them: `exports` of package.json says which there are,
 * `paths` of tsconfig.json where their sources are. Neither can name one that the other does not know.
 */
export const packageEntries: readonly PackageEntry[] = readEntries()

function readEntries(): PackageEntry[] {
  const { name: packageName, exports } = readJson<Manifest>('package.json')
  const { paths } = readJson<Settings>('tsconfig.json').compilerOptions
  const entries = Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []
    const name = packageName + subpath.slice(1)
    const output = /^\.\/dist\/([a-z-]+)\.js$/.exec(target.default)?.[1]
    const source = paths[name]?.[0]
    if (output === undefined || target.types !== `./dist/${output}.d.ts` || source === undefined) {
      throw new Error(
        `${name} needs ./dist/<name>.js and ./dist/<name>.d.ts in package.json, and a path in tsconfig.json`,
      )
    }
    return [{ name, output, source: fileURLToPath(new URL(source, import.meta.url)) }]
  })
  const unknown = Object.keys(paths).filter((path) => !entries.some(({ name }) => name === path))
  if (unknown.length > 0) throw new Error(`package.json does not export ${unknown.join(', ')}`)
  return entries
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as T
}
