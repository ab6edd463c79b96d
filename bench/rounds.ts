import type { MaybePromise } from '../src/decisions/maybe-promise.js'

export interface Contender {
  readonly name: string
  /** Rows that it is measured against. */
  readonly comparedTo?: readonly string[]
  /** Makes ready what is not to be timed, and returns what is: `operations` of them, one after the other. */
  prepare(operations: number): MaybePromise<() => MaybePromise<void>>
}

export interface Row {
  readonly name: string
  readonly medianMicroseconds: number
  readonly minMicroseconds: number
  /** Of single operations, where they were timed one by one. */
  readonly p99Microseconds?: number
  /** Memory, where what is measured holds records. */
  readonly bytesPerRecord?: number
  readonly comparedTo?: string
  /** Of the medians. */
  readonly ratio?: number
}

export interface RoundsOptions {
  readonly rounds: number
  readonly warmUpRounds: number
  /** Per contender and round. */
  readonly operations: number
}

/**
 * Measures contenders in rounds that take turns, so that what slows the machine down for a while slows down all of
 * them. Each round has an order of its own: nobody always finds the machine as the same neighbour left it.
 */
export async function measure(contenders: readonly Contender[], options: RoundsOptions): Promise<Row[]> {
  const random = pseudoRandom()
  const samples = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  for (let round = -options.warmUpRounds; round < options.rounds; round += 1) {
    for (const contender of shuffled(contenders, random)) {
      const microseconds = await timeOnce(contender, options.operations)
      if (round >= 0) samples.get(contender.name)?.push(microseconds)
    }
  }
  const medians = new Map([...samples].map(([name, values]) => [name, median(values)]))
  return contenders.flatMap((contender) => rowsOf(contender, samples.get(contender.name) ?? [], medians))
}

async function timeOnce(contender: Contender, operations: number): Promise<number> {
  const run = await contender.prepare(operations)
  const start = process.hrtime.bigint()
  await run()
  return Number(process.hrtime.bigint() - start) / 1000 / operations
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** The same orders in every run: Park and Miller's minimal standard generator. */
function pseudoRandom(): () => number {
  let state = 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  }
}

/** One row per comparison, so that every ratio stands beside what it is a ratio to. */
function rowsOf(contender: Contender, values: readonly number[], medians: ReadonlyMap<string, number>): Row[] {
  const { name, comparedTo = [] } = contender
  const row = { name, medianMicroseconds: rounded(median(values)), minMicroseconds: rounded(Math.min(...values)) }
  if (comparedTo.length === 0) return [row]
  return comparedTo.map((other) => ({
    ...row,
    comparedTo: other,
    ratio: rounded(median(values) / (medians.get(other) ?? NaN)),
  }))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
