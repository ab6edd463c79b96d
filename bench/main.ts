import { mkdir, writeFile } from 'node:fs/promises'
import { limits } from './limits/suite.js'
import { payload } from './payload/suite.js'
import { requests } from './requests/suite.js'
import type { Row } from './rounds.js'
import { store } from './store/suite.js'
import { starting } from './starting/suite.js'
import { tokens } from './tokens/suite.js'

/** A new suite is a line here. */
const suites: Readonly<Record<string, () => Promise<Row[]>>> = { requests, tokens, payload, limits, starting, store }

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !Object.hasOwn(suites, name))
if (unknown.length > 0) {
  console.error(`no suite "${unknown.join('", "')}"; there are: ${Object.keys(suites).join(', ')}`)
  process.exit(1)
}
console.log(`measuring ${import.meta.resolve('clientele/express')} on Node ${process.version}`)
for (const [name, run] of Object.entries(suites)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  console.log(`${name}: measuring, half a minute or some …`)
  const rows = await run()
  print(rows)
  await write(name, rows)
}

function print(rows: readonly Row[]): void {
  console.table(
    rows.map(({ name, medianMicroseconds, minMicroseconds, ...further }) => ({
      name,
      'median µs': medianMicroseconds,
      'min µs': minMicroseconds,
      ...(further.p99Microseconds !== undefined && { 'p99 µs': further.p99Microseconds }),
      ...(further.bytesPerRecord !== undefined && { 'bytes per record': further.bytesPerRecord }),
      ...(further.comparedTo !== undefined && { 'compared to': further.comparedTo, ratio: further.ratio }),
    })),
  )
}

async function write(suite: string, rows: readonly Row[]): Promise<void> {
  const folder = new URL('./results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const file = new URL(`${suite}.json`, folder)
  await writeFile(file, `${JSON.stringify({ suite, node: process.version, rows }, null, 2)}\n`)
  console.log(`written: bench/results/${suite}.json`)
}
