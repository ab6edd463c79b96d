import type { Algorithm, Cells } from '../../../src/limits/algorithms/algorithm.js'
import type { CounterLimit, Reading } from '../../../src/limits/counter.js'

/** One limit of one subject, its numbers between those of others that nobody may touch. */
export function driven<L extends CounterLimit>(algorithm: Algorithm<L>, limit: L) {
  const cells: Cells = { numbers: [7, ...algorithm.empty, 7], lists: undefined }
  return {
    cells,
    limit,
    take(nowMs: number, cost = 1): number | undefined {
      return algorithm.hasRoom(cells, 1, limit, nowMs, cost)
        ? algorithm.charge(cells, 1, limit, nowMs, cost)
        : undefined
    },
    read: (nowMs: number, cost = 1): Reading => algorithm.read(cells, 1, limit, nowMs, cost),
    used: (nowMs: number): number => algorithm.read(cells, 1, limit, nowMs, 1).used,
    endsAtMs: (): number => algorithm.endsAtMs(cells, 1, limit),
    giveBack(nowMs: number, mark: number | undefined, cost = 1): void {
      algorithm.giveBack(cells, 1, limit, nowMs, mark ?? NaN, cost)
    },
    othersUntouched: (): boolean => cells.numbers[0] === 7 && cells.numbers.at(-1) === 7,
  }
}
