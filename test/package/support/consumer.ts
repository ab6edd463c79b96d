import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const programs = fileURLToPath(new URL('../programs', import.meta.url))
const start = promisify(execFile)

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface Needs {
  /** Installed beside the package: frameworks, types. */
  readonly packages?: readonly string[]
  /** Those dependencies of the package that are there. @default all */
  readonly dependencies?: readonly string[]
}

/**
 * A project of somebody else, in a folder where nothing of this one is in reach: the tarball unpacked, and copies of
 * what it depends on, without anything that an install script has compiled.
 */
export class Consumer {
  readonly folder: string
  readonly package: string

  private constructor(folder: string) {
    this.folder = folder
    this.package = join(folder, 'node_modules/clientele')
  }

  static async make({ packages = [], dependencies }: Needs): Promise<Consumer> {
    const consumer = new Consumer(realpathSync(mkdtempSync(join(tmpdir(), 'clientele-consumer-'))))
    mkdirSync(consumer.package, { recursive: true })
    await start('tar', ['-xzf', packedTarball(), '-C', consumer.package, '--strip-components=1'])
    const own = dependencies ?? Object.keys(manifestOf(consumer.package).dependencies ?? {})
    for (const folder of closure([...own, ...packages])) copy(folder, join(consumer.folder, relative(root, folder)))
    consumer.write('package.json', '{ "private": true, "type": "module" }')
    return consumer
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true })
    writeFileSync(join(this.folder, path), text)
  }

  /** One of the programs beside these tests, as a file of the consumer's. */
  add(program: string): void {
    cpSync(join(programs, program), join(this.folder, program))
  }

  run(program: string, ...parameters: readonly string[]): Promise<Ran> {
    this.add(program)
    return this.node(program, ...parameters)
  }

  async node(...parameters: readonly string[]): Promise<Ran> {
    const { NODE_OPTIONS: _, ...env } = process.env
    try {
      const ended = await start(process.execPath, parameters, { cwd: this.folder, env, timeout: 110_000 })
      return { code: 0, ...ended }
    } catch (error) {
      const { code, stdout, stderr } = error as Ran & { readonly code: unknown }
      if (typeof code !== 'number') throw error
      return { code, stdout, stderr }
    }
  }

  /** What the compiler says, which is nothing when it is content. */
  async tsc(project: string): Promise<string> {
    const { stdout, stderr } = await this.node(join(root, 'node_modules/typescript/bin/tsc'), '-p', project)
    return stdout + stderr
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

export function packedTarball(): string {
  const { tarball, failure } = inject('packed')
  if (failure !== undefined) throw new Error(`there is no package to test: ${failure}`)
  return tarball
}

/** The folders of packages and of all that they need, as they stand in the project. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>()
  const add = (name: string, from: string, optional: boolean): void => {
    const folder = folderOf(name, from)
    if (folder === undefined && !optional) throw new Error(`${name} is not installed`)
    if (folder === undefined || found.has(folder)) return
    found.add(folder)
    const { dependencies = {}, optionalDependencies = {} } = manifestOf(folder)
    for (const each of Object.keys(dependencies)) add(each, folder, each in optionalDependencies)
    for (const each of Object.keys(optionalDependencies)) add(each, folder, true)
  }
  for (const name of names) add(name, root, false)
  return found
}

/** Where Node would find it. */
function folderOf(name: string, from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (existsSync(join(folder, 'package.json'))) return folder
    if (relative(root, at) === '') return undefined
  }
}

function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith(join('build', 'Release')) })
}
