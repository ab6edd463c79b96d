import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll } from 'vitest'

/** In the project, so that packages are found from there, and its own name too. */
const folder = fileURLToPath(new URL('../../.cache', import.meta.url))

const built = new Map<string, Promise<string>>()

afterAll(async () => {
  const files = await Promise.all(built.values())
  built.clear()
  for (const file of files) rmSync(join(file, '..'), { recursive: true, force: true })
})

/**
 * One file that Node runs as it is, with all that a script imports of ours: it starts in a fraction of the time that
 * it takes to compile them for each process. Made once per file of tests, and removed after it.
 */
export function prebuilt(script: URL): Promise<string> {
  const entry = fileURLToPath(script)
  const file = built.get(entry) ?? buildFile(entry)
  built.set(entry, file)
  return file
}

async function buildFile(entry: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const outDir = mkdtempSync(join(folder, 'built-'))
  const name = basename(entry, '.ts')
  await build({
    config: false,
    silent: true,
    entry: { [name]: entry },
    outDir,
    format: 'esm',
    target: 'node20',
    outExtension: () => ({ js: '.mjs' }),
    skipNodeModulesBundle: true,
    // But for the slow ones to be found and loaded, piece by piece.
    noExternal: ['zod', 'lru-cache', 'jose', 'temporal-polyfill', 'temporal-utils'],
  })
  return join(outDir, `${name}.mjs`)
}
