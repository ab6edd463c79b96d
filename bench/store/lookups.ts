import type { Row } from '../rounds.js'

/** One look-up of the client with this number. */
export type LookUp = (number: number) => unknown

/** Which clients are asked for, one after the other. */
export type Choice = () => number

export const among =
  (count: number): Choice =>
  () =>
    Math.floor(Math.random() * count)

/** Few, so that most batches are over before the machine turns to something else. */
const perBatch = 20

/**
 * The median is that of small batches, since a clock that is read for each look-up takes as long as a fast one; the
 * 99th percentile is that of single ones, and holds the clock.
 */
export async function timed(name: string, lookUp: LookUp, choice: Choice, lookUps: number): Promise<Row> {
  const numbers = Array.from({ length: lookUps }, choice)
  const isSlow = lookUp(numbers[0] ?? 0) instanceof Promise
  const single = isSlow ? await singleAwaited(lookUp, numbers) : singleAtOnce(lookUp, numbers)
  const medians = isSlow ? single : batches(lookUp, Array.from({ length: lookUps }, choice))
  return {
    name,
    medianMicroseconds: at(medians, 0.5),
    p99Microseconds: at(single, 0.99),
    minMicroseconds: at(medians, 0),
  }
}

function batches(lookUp: LookUp, numbers: readonly number[]): number[] {
  const times: number[] = []
  for (let from = 0; from < numbers.length; from += perBatch) {
    const batch = numbers.slice(from, from + perBatch)
    const begun = process.hrtime.bigint()
    for (const number of batch) lookUp(number)
    times.push(Number(process.hrtime.bigint() - begun) / 1000 / batch.length)
  }
  return times
}

function singleAtOnce(lookUp: LookUp, numbers: readonly number[]): number[] {
  return numbers.map((number) => {
    const begun = process.hrtime.bigint()
    lookUp(number)
    return Number(process.hrtime.bigint() - begun) / 1000
  })
}

async function singleAwaited(lookUp: LookUp, numbers: readonly number[]): Promise<number[]> {
  const times: number[] = []
  for (const number of numbers) {
    const begun = process.hrtime.bigint()
    await lookUp(number)
    times.push(Number(process.hrtime.bigint() - begun) / 1000)
  }
  return times
}

function at(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
  return Number(value.toPrecision(3))
}
