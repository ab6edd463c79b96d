// Installs a tarball into an empty folder as a user with install scripts off would, and serves requests from it.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const [tarball] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'clientele-smoke-'))
const run = (command, ...parameters) =>
  execFileSync(command, parameters, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

try {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const options = ['--ignore-scripts', '--engine-strict', '--omit=dev', '--no-audit', '--no-fund']
  run('npm', 'install', ...options, resolve(tarball), 'express@5', 'koa@3')
  for (const program of ['serve-express.mjs', 'serve-koa.cjs']) {
    copyFileSync(join('test/package/programs', program), join(folder, program))
    const printed = run('node', program).trim()
    if (printed !== '401 200 429') throw new Error(`${program} answered ${printed}, not 401 200 429`)
  }
  console.log('installed without scripts, and served with Express and Koa: 401 200 429')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
