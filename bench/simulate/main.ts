// Plays a contract on 1 to 64 processes, and writes what it has seen into docs/explanation/limits.md and a picture.
import { readFileSync, writeFileSync } from 'node:fs'
import { format } from 'prettier'
import { picture, type Point } from './picture.js'
import { simulate, ways, type Outcome, type Way } from './run.js'

const counts = [1, 2, 4, 8, 16, 32, 64]
const windows = 20
const seed = 20_260_301

const outcomes = new Map<Way, (Outcome & { readonly processes: number })[]>()
for (const way of ways) {
  const rows = []
  for (const processes of counts) {
    console.log(`${way}: ${String(processes)} …`)
    rows.push({ processes, ...(await simulate({ way, processes, seed, windows })) })
  }
  outcomes.set(way, rows)
}
for (const way of ways.filter((each) => each !== 'localShare')) {
  const over = outcomes.get(way)?.some(({ admitted }) => admitted.some((part) => part > 1))
  if (over === true) throw new Error(`${way} has admitted more than the limit`)
}

const points = (way: Way): Point[] =>
  (outcomes.get(way) ?? []).map(({ processes, admitted }) => {
    const sorted = [...admitted].sort((one, other) => one - other)
    const part = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN
    return { processes, lowest: part(0), median: part(0.5), highest: part(1) }
  })
const percent = (part: number): string => `${String(Math.round(part * 1000) / 10)} %`
const rows = ways.flatMap((way) =>
  points(way).map(({ processes, lowest, median, highest }, index) => {
    const trips = outcomes.get(way)?.[index]?.tripsPerRequest ?? NaN
    return `| ${way} | ${String(processes)} | ${percent(lowest)} | ${percent(median)} | ${percent(highest)} | ${trips.toFixed(2)} |`
  }),
)
const table = [
  '| way | processes | least | median | most | trips for each request |',
  '| --- | --: | --: | --: | --: | --: |',
  ...rows,
].join('\n')

const docs = new URL('../../docs/', import.meta.url)
writeFileSync(new URL('images/simulation.svg', docs), picture(new Map(ways.map((way) => [way, points(way)]))))
const page = new URL('explanation/limits.md', docs)
const [before = '', rest = ''] = readFileSync(page, 'utf8').split('<!-- simulation -->\n')
const after = rest.split('<!-- end of simulation -->')[1] ?? ''
const filled = `${before}<!-- simulation -->\n\n${table}\n\n<!-- end of simulation -->${after}`
writeFileSync(page, await format(filled, { parser: 'markdown', printWidth: 120 }))
console.log(table)
