import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { diskCounter, type DiskCounter } from 'clientele/disk'
import type { CounterLimit } from '../../src/limits/counter.js'
import { subjectOf } from '../../src/limits/subject.js'
import { testCounter } from '../../src/testing/counter.js'
import { startChild, type Child } from '../support/child-process.js'

const root = mkdtempSync(join(tmpdir(), 'clientele-counter-'))
const children: Child[] = []
const opened: DiskCounter[] = []
let made = 0
const newPath = (): string => join(root, `counter${String(++made)}`)

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(opened.splice(0).map((counter) => counter.close()))
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

function opens(path: string, wallClock?: () => number): DiskCounter {
  const counter = diskCounter({ path, ...(wallClock && { wallClock }) })
  opened.push(counter)
  return counter
}

async function start(...parameters: string[]): Promise<Child> {
  const child = await startChild(new URL('children/disk-taker.ts', import.meta.url), ...parameters)
  children.push(child)
  return child
}

const fixed = (requests: number, windowMs = 3_600_000): CounterLimit => ({
  key: `fixed:${windowMs}`,
  requests,
  algorithm: 'fixed',
  windowMs,
})
const month = (requests: number): CounterLimit => ({
  key: 'calendar:month',
  requests,
  algorithm: 'calendar',
  unit: 'month',
  timeZone: 'UTC',
})
const both = (requests: number): CounterLimit[] => [fixed(requests), month(requests)]
const used = (counter: DiskCounter, subject: string): number[] =>
  counter.peek(subject, both(1)).map((reading) => reading.used)

const shared = newPath()
testCounter('diskCounter', () => opens(shared), { describe, it })

describe('diskCounter', () => {
  it('goes on after a restart, with all algorithms', async () => {
    const path = newPath()
    const limits: CounterLimit[] = [
      ...both(10),
      { key: 'sliding:3600000', requests: 10, algorithm: 'sliding', windowMs: 3_600_000 },
      { key: 'gcra:86400000', requests: 1, algorithm: 'gcra', windowMs: 86_400_000, burst: 10 },
      { key: 'concurrent', requests: 10, algorithm: 'concurrent', maxAgeMs: 3_600_000 },
    ]
    const first = opens(path)
    first.take('a', limits, 4)
    first.take('a', limits, 4)
    await first.close()
    const second = opens(path)
    expect(second.peek('a', limits).map((reading) => Math.round(reading.used))).toEqual([8, 8, 8, 8, 2])
    expect(second.take('a', limits, 3).taken).toBe(false)
    expect(second.take('a', limits, 1).taken).toBe(true)
  })

  it('keeps subjects of any length and any characters apart', () => {
    const counter = opens(newPath())
    const long = 'é'.repeat(255)
    const subjects = [
      ...['a:bc', 'ab:c', '=a', 'a=', ' a', 'a ', 'A:BC', '\ud800', '\ud801', 'x'.repeat(600), `${'x'.repeat(600)}y`],
      ...[subjectOf(long, long), subjectOf(long, long, false), subjectOf(long, `${long}x`)],
    ]
    for (const subject of subjects) expect(counter.take(subject, [fixed(1)], 1).taken).toBe(true)
    for (const subject of subjects) expect(counter.take(subject, [fixed(1)], 1).taken).toBe(false)
  })

  // Attack line 32: a clock that jumps, or says nothing.
  it('opens no window for a clock that goes back a little, and does not wait for a future that was none', () => {
    const clock = { wallMs: Date.parse('2026-05-05T12:00Z') }
    const counter = opens(newPath(), () => clock.wallMs)
    const limits: CounterLimit[] = [
      fixed(2),
      { key: 'sliding:3600000', requests: 2, algorithm: 'sliding', windowMs: 3_600_000 },
    ]
    const taken = (): boolean => counter.take('a', limits, 2).taken
    expect(taken()).toBe(true)
    clock.wallMs -= 3_000_000
    expect(taken()).toBe(false)
    clock.wallMs += 365 * 86_400_000
    expect([taken(), taken()]).toEqual([true, false])
    clock.wallMs -= 365 * 86_400_000
    expect([taken(), taken()]).toEqual([true, false])
    clock.wallMs = NaN
    expect(taken).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_COUNTER' }))
  })

  it('removes what is over, and nothing else', async () => {
    const clock = { wallMs: 1_700_000_000_000 }
    const path = newPath()
    const counter = opens(path, () => clock.wallMs)
    counter.take('victim', [fixed(1)], 1)
    for (let index = 0; index < 3000; index += 1) {
      if (index % 100 === 0) clock.wallMs += 1000
      counter.take(`s-${index}`, [fixed(1, 500)], 1)
    }
    expect(counter.take('victim', [fixed(1)], 1).taken).toBe(false)
    await counter.close()
    // A record takes some 150 bytes, three thousand of them half a megabyte.
    expect(statSync(join(path, 'data.mdb')).size).toBeLessThan(300_000)
  })

  it('gives nothing back that was charged before a reset, also within one window of the calendar', () => {
    const counter = opens(newPath())
    const { receipt } = counter.take('a', both(10), 5)
    counter.reset('a')
    counter.take('a', both(10), 3)
    counter.giveBack(receipt, 5)
    expect(used(counter, 'a')).toEqual([3, 3])
  })

  it('keeps its files for their owner alone, refuses damaged ones, and does nothing once it is closed', async () => {
    const path = newPath()
    const counter = opens(path)
    counter.take('a', both(1), 1)
    for (const file of readdirSync(path)) expect((statSync(join(path, file)).mode & 0o777).toString(8)).toBe('600')
    await counter.close()
    const outage = expect.objectContaining({ code: 'ERR_CLIENTELE_COUNTER', status: 503 })
    expect(() => counter.take('a', both(1), 1)).toThrow(outage)
    writeFileSync(join(path, 'data.mdb'), 'damaged'.repeat(10_000))
    expect(() => diskCounter({ path })).toThrow(outage)
    expect(() => diskCounter({ path: join(path, 'data.mdb') })).toThrow(outage)
  })

  it.each([{}, { path: '' }, { path: 5 }, { path: 'x', wallClock: 5 }, { path: 'x', maxKeys: 5 }])(
    'is not built with %o',
    (options) => {
      expect(() => diskCounter(options as never)).toThrow(
        expect.objectContaining({
          code: 'ERR_CLIENTELE_OPTIONS',
          message: expect.stringContaining('diskCounter()') as string,
        }),
      )
    },
  )
})

describe('processes that share a directory', () => {
  it(
    'count together: a thousand takes from four processes at limit 50 are exactly 50',
    { timeout: 60_000 },
    async () => {
      const path = newPath()
      const takers = await Promise.all(
        [1, 2, 3, 4].map(async () => {
          const child = await start(path, 'shared', '50')
          const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
          expect((await lines.next()).value).toBe('ready')
          return async (takes: number): Promise<number> => {
            child.stdin.write(`${String(takes)}\n`)
            return Number((await lines.next()).value)
          }
        }),
      )
      const taken = await Promise.all(takers.map((take) => take(250)))
      expect(taken.reduce((sum, one) => sum + one, 0)).toBe(50)
      expect(used(opens(path), 'shared')).toEqual([50, 50])
    },
  )

  // The bound: what was answered is charged, and what is charged was answered, but for one request of each process.
  it(
    'lose nothing to SIGKILL, and charge at most one request each that nobody was told of',
    { timeout: 120_000 },
    async () => {
      const path = newPath()
      let answered = 0
      let kills = 0
      for (let round = 0; round < 12; round += 1) {
        // Two at a time, so that one may die with the lock while the other waits for it.
        answered += (await Promise.all([1, 2].map(() => takeUntilKilled(path)))).reduce((sum, one) => sum + one, 0)
        kills += 2
        const [inHour, inMonth] = used(opens(path), 'killed')
        expect(inHour).toBe(inMonth)
        expect(inHour).toBeGreaterThanOrEqual(answered)
        expect(inHour).toBeLessThanOrEqual(answered + kills)
      }
      expect(answered).toBeGreaterThan(200)
      // And the limit holds over all lives of all processes.
      const counter = opens(path)
      const limits = both(answered + kills + 5)
      let more = 0
      while (counter.take('killed', limits, 1).taken) more += 1
      expect(more).toBeGreaterThanOrEqual(5)
      expect(more).toBeLessThanOrEqual(5 + kills)
    },
  )
})

async function takeUntilKilled(path: string): Promise<number> {
  const child = await start(path, 'killed', '1000000', 'until killed')
  let taken = 0
  const lines = createInterface({ input: child.stdout })
  const killAfter = 1 + Math.floor(Math.random() * 100)
  lines.on('line', (line) => {
    if (line === 'taken') taken += 1
    // Some time into the next takes, not at their edges.
    if (taken === killAfter) setTimeout(() => child.kill('SIGKILL'), Math.random() * 5)
  })
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  return taken
}
