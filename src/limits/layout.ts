import type { Algorithm } from './algorithms/algorithm.js'
import { algorithms } from './algorithms/table.js'
import type { CounterLimit } from './counter.js'

/** Where an account keeps the numbers of its limits. Shared by all accounts that met the same limits in the same order. */
export interface Layout {
  /** The limits that were asked for last; their places stand first, in their order. */
  readonly limits: readonly CounterLimit[]
  readonly places: readonly Place[]
  readonly width: number
  /** Whether one of them goes by the calendar. */
  readonly onWall: boolean
  /** What becomes of it when other limits are asked for. One for all layouts that keep the same limits at the same places. */
  readonly next: WeakMap<readonly CounterLimit[], Layout>
}

export interface Place {
  readonly key: string
  readonly at: number
  readonly algorithm: Algorithm
  readonly onWall: boolean
}

const nothing: Layout = { limits: [], places: [], width: 0, onWall: false, next: new WeakMap() }

/** For a subject that was not counted before. */
export function firstLayout(limits: readonly CounterLimit[]): Layout {
  return layoutAfter(nothing, limits)
}

/** For a subject whose tier has changed: what stands there stays where it is, what is new comes behind. */
export function layoutAfter(before: Layout, limits: readonly CounterLimit[]): Layout {
  if (before.limits === limits) return before
  let layout = before.next.get(limits)
  if (layout === undefined) {
    layout = makeLayout(before, limits)
    before.next.set(limits, layout)
  }
  return layout
}

function makeLayout(before: Layout, limits: readonly CounterLimit[]): Layout {
  let { width } = before
  const asked = limits.map((limit) => {
    const known = before.places.find(({ key }) => key === limit.key)
    if (known !== undefined) return known
    const algorithm = algorithms[limit.algorithm]
    const place = { key: limit.key, at: width, algorithm, onWall: algorithm.clock === 'wall' }
    width += algorithm.empty.length
    return place
  })
  const places = [...asked, ...before.places.filter((place) => !asked.includes(place))]
  // Shared where nothing was added: whoever goes back and forth between two tiers comes back to the same two layouts.
  const next = width === before.width ? before.next : new WeakMap<readonly CounterLimit[], Layout>()
  const layout = { limits, places, width, onWall: places.some(({ onWall }) => onWall), next }
  next.set(limits, layout)
  return layout
}
