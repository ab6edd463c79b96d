// Judges a report of tests: node judge.mjs <report> <version of Node>. Nothing may have failed, and nothing may have
// been skipped but what says in its name that it "needs Node x.y", on a Node that is older, or that it "needs" the
// program that CLIENTELE_WITHOUT names: one that cannot be had here.
import { readFileSync } from 'node:fs'

const [file, node] = process.argv.slice(2)
const without = process.env.CLIENTELE_WITHOUT
const { success, testResults } = JSON.parse(readFileSync(file, 'utf8'))
const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
const passed = tests.filter(({ status }) => status === 'passed')
const failed = tests.filter(({ status }) => status === 'failed')
const skipped = tests.filter((test) => !passed.includes(test) && !failed.includes(test))
const unexcused = skipped.filter(({ fullName }) => {
  if (without !== undefined && new RegExp(`needs ${without}\\b`).test(fullName)) return false
  const needed = /needs Node (\d+(?:\.\d+)*)/.exec(fullName)?.[1]
  return needed === undefined || !isOlder(node, needed)
})

function isOlder(version, other) {
  const [ours, theirs] = [version, other].map((each) => each.split('.').map(Number))
  const differs = theirs.findIndex((part, index) => part !== ours[index])
  return differs !== -1 && ours[differs] < theirs[differs]
}

console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`)
for (const { name, message, status, assertionResults } of testResults) {
  if (status === 'failed' && assertionResults.length === 0) console.error(`  not run: ${name}: ${message}`)
}
for (const { fullName } of failed) console.error(`  failed: ${fullName}`)
for (const { fullName } of unexcused) console.error(`  skipped, and not for want of a newer Node: ${fullName}`)
process.exitCode = success && passed.length > 0 && failed.length === 0 && unexcused.length === 0 ? 0 : 1
