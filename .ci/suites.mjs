// Runs all tests on this Node, those in which Nodes differ on one more that is supported, those of the package on all,
// and a true installation on the oldest. With CLIENTELE_EACH_NODE=whole, all tests on all.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const [folder] = process.argv.slice(2)
const supported = ['20', '22', '24']
const { engines } = JSON.parse(readFileSync('package.json', 'utf8'))
const oldest = `${engines.node.replace('>=', '')}.0`
const report = 'coverage/tests.json'

/** Registry packages of which each is one Node, `bin/node`, in all of these versions. */
const platform = `${process.platform}-${process.arch}`
const fetchable = ['linux-x64', 'linux-arm64'].includes(platform)

/** The folder of a Node: this one where it is one of the versions asked for. */
function binOf(version) {
  if (process.versions.node === version || process.versions.node.startsWith(`${version}.`))
    return dirname(process.execPath)
  const prefix = join(folder, `node-${version}`)
  const bin = join(prefix, `node_modules/node-${platform}/bin`)
  const options = ['--no-save', '--package-lock=false', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  if (!existsSync(bin)) execFileSync('npm', ['install', '--prefix', prefix, ...options, `node-${platform}@${version}`])
  return bin
}

/** By the PATH, as users change their Node: npm, its scripts and all their children run on it. */
function onNode(version, command, ...parameters) {
  // What goes by chance is tried often on one Node: a kill or a lost message knows no version.
  const rounds = version === own ? {} : { CLIENTELE_ROUNDS: 'usual' }
  const env = { ...rounds, ...process.env, PATH: `${binOf(version)}${delimiter}${process.env.PATH}` }
  const found = execFileSync('node', ['-p', 'process.versions.node'], { env, encoding: 'utf8' }).trim()
  if (found !== version && !found.startsWith(`${version}.`)) throw new Error(`Node ${found} answers for ${version}`)
  console.log(`\nNode ${found}: ${[command, ...parameters].join(' ')}`)
  return { found, succeeded: spawnSync(command, parameters, { env, stdio: 'inherit' }).status === 0 }
}

/** Runs tests, and judges what they report. A report that is left from before would be judged in their place. */
function tests(version, ...parameters) {
  rmSync(report, { force: true })
  const begun = Date.now()
  const { found, succeeded } = onNode(version, 'npm', 'test', '--', ...parameters)
  const kept = `coverage/tests-${[found, ...parameters]
    .join(' ')
    .replaceAll(/[^\w.]+/g, '-')
    .slice(0, 100)}.json`
  const what = `Node ${found}${parameters.length > 0 ? `, ${parameters.join(' ')}` : ''}, ${seconds(begun)} s`
  try {
    renameSync(report, kept)
  } catch {
    return { text: `${what}: no report`, good: false }
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['.ci/judge.mjs', kept, found], { encoding: 'utf8' })
  return { text: `${what}: ${stdout.trim()}${stderr}`, good: succeeded && status === 0 }
}

function installation(version) {
  const begun = Date.now()
  const { found, succeeded } = onNode(version, 'node', '.ci/smoke.mjs', process.env.CLIENTELE_TARBALL)
  const text = `Node ${found}, installed from the tarball, ${seconds(begun)} s: ${succeeded ? 'serves' : 'failed'}`
  return { text, good: succeeded }
}

const seconds = (begun) => Math.round((Date.now() - begun) / 1000)
const own = process.versions.node.split('.')[0]
const versions = fetchable ? [...new Set([own, ...supported])] : [own]
const others = versions.filter((version) => version !== own)
const results = [tests(own)]
/** Where Nodes differ: how they speak HTTP, sign and compare. Servers that are killed and commands in files do not. */
const rooms = ['adapters', 'attacks', 'callers', 'contracts', 'conversations', 'credentials', 'http', 'policies']
const more = ['protection', 'providers', 'runtime', 'tokens', 'stores/keyv', 'stores/disk.test', 'stores/memory']
others.forEach((version, index) => {
  // Each of these tests has a second Node, and each Node its part of them: all on all would take an hour.
  const part = [`--shard=${index + 1}/${others.length}`, ...[...rooms, ...more].map((room) => `test/${room}`)]
  const which = process.env.CLIENTELE_EACH_NODE === 'whole' ? [] : part
  results.push(tests(version, '--project', 'source', ...which), tests(version, '--project', 'package'))
})
if (fetchable) results.push(tests(oldest, '--project', 'package'))
results.push(installation(fetchable ? oldest : own))

console.log(`\n${results.map(({ text, good }) => `${good ? 'good' : 'BAD '}  ${text}`).join('\n')}`)
if (!fetchable) console.log(`no Node of other versions to be had for ${platform}: run on this one alone`)
process.exitCode = results.every(({ good }) => good) ? 0 : 1
