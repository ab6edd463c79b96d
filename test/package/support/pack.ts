import { execFileSync, type StdioOptions } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The packed package, as a registry would get it, or why there is none. */
    packed: { readonly tarball: string; readonly failure?: string }
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Builds and packs once for all tests of the package. CLIENTELE_TARBALL names a file to keep the tarball in: what is
 * there already is tested as it is, so that several runs may share one build.
 */
export default function pack(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-pack-'))
  const kept = process.env.CLIENTELE_TARBALL
  const tarball = kept === undefined ? join(folder, 'clientele.tgz') : resolve(kept)
  try {
    if (!existsSync(tarball)) packInto(folder, tarball)
    project.provide('packed', { tarball })
  } catch (error) {
    // For the tests that need it to fail with: thrown here, it would keep all others from being run.
    project.provide('packed', { tarball, failure: String(error) })
  }
  return () => {
    rmSync(folder, { recursive: true, force: true })
  }
}

function packInto(folder: string, tarball: string): void {
  npm('run', 'build', '--', '--silent')
  // Built above, since whoever has install scripts off has no prepack either.
  npm('pack', '--ignore-scripts', '--pack-destination', folder)
  const [packed] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  if (packed === undefined) throw new Error('npm pack left no tarball')
  mkdirSync(dirname(tarball), { recursive: true })
  renameSync(join(folder, packed), tarball)
}

function npm(...parameters: readonly string[]): void {
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe']
  execFileSync('npm', parameters, { cwd: root, encoding: 'utf8', stdio, timeout: 180_000 })
}
