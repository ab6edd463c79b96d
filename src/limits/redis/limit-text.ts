import { calendarWindow } from '../algorithms/calendar-window.js'
import { ClienteleFault } from '../../decisions/faults.js'
import type { CounterLimit } from '../counter.js'

interface LimitText {
  readonly text: string
  /** Within which the server's time has to lie for the text to be true. */
  readonly fromMs: number
  readonly untilMs: number
}

const known = new WeakMap<readonly CounterLimit[], LimitText>()

/**
 * Limits as scripts take them, in JSON, by fives: algorithm, key, ceiling, span, stop; a comma before each. Made once,
 * and anew when a window of the calendar turns: for those it is said in which the server must be by now.
 */
export function limitText(limits: readonly CounterLimit[], serverNowMs: number): string {
  let made = known.get(limits)
  if (made === undefined || !(made.fromMs <= serverNowMs && serverNowMs < made.untilMs)) {
    made = makeText(limits, serverNowMs)
    known.set(limits, made)
  }
  return made.text
}

function makeText(limits: readonly CounterLimit[], serverNowMs: number): LimitText {
  let [text, fromMs, untilMs] = ['', -Infinity, Infinity]
  for (const limit of limits) {
    let [span, stop] = [spanOf(limit), 0]
    if (limit.algorithm === 'calendar') {
      const { startMs, endMs } = calendarWindow(limit.unit, limit.timeZone, serverNowMs)
      ;[span, stop] = [startMs, endMs]
      ;[fromMs, untilMs] = [Math.max(fromMs, startMs), Math.min(untilMs, endMs)]
    }
    refuseLong(limit.key)
    const [algorithm, key] = [JSON.stringify(limit.algorithm), JSON.stringify(limit.key)]
    text += `,${algorithm},${key},${String(ceilingOf(limit))},${String(span)},${String(stop)}`
  }
  return { text, fromMs, untilMs }
}

/** What the length of a key is packed in holds no more. */
const longestKeyBytes = 65_535

function refuseLong(key: string): void {
  if (key.length * 3 <= longestKeyBytes || Buffer.byteLength(key) <= longestKeyBytes) return
  const message = `redisCounter(): the key of a limit is longer than ${longestKeyBytes} bytes; give it a shorter one`
  throw new ClienteleFault('ERR_CLIENTELE_COUNTER', message)
}

export function ceilingOf(limit: CounterLimit): number {
  return limit.algorithm === 'gcra' ? limit.burst : limit.requests
}

export function spanOf(limit: CounterLimit): number {
  switch (limit.algorithm) {
    case 'fixed':
    case 'sliding':
      return limit.windowMs
    case 'gcra':
      return limit.requests / limit.windowMs
    case 'concurrent':
      return limit.maxAgeMs
    case 'calendar':
      return 0
  }
}
