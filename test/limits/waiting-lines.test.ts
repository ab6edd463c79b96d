import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WaitingLines, type Told, type Turn, type Waited } from '../../src/limits/waiting-lines.js'
import { until } from '../support/until.js'

const bounds = { maxWaiting: 100, maxWaitingInAll: 1000, maxWaitMs: 20_000 }

function turnOf<T>(ask: Turn<T, Told>['ask'], more: Partial<Turn<T, Told>> = {}): Turn<T, Told> {
  return { bounds, signal: new AbortController().signal, ask, undo: () => undefined, ...more }
}

const hasLine = (lines: WaitingLines<Told>, key: string): boolean => lines.toldLast(key) !== undefined
const leftOf = (waited: Waited<unknown, Told>): string => ('left' in waited ? waited.left : 'answered')

describe('WaitingLines', () => {
  it('first in, first out in each line, and only the first asks, whatever it is told and however often', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.constantFrom('a', 'b'), refusals: fc.nat(2) }), { minLength: 1, maxLength: 12 }),
        async (requests) => {
          const lines = new WaitingLines<Told>()
          const over: Record<string, number[]> = { a: [], b: [] }
          const asked: Record<string, number[]> = { a: [], b: [] }
          const waiting = requests.map(({ key, refusals }, index) => {
            let left = refusals
            return lines.join(
              key,
              { waitMs: 0 },
              turnOf(async () => {
                asked[key]?.push(index)
                if (left === 0) {
                  over[key]?.push(index)
                  return { answer: index }
                }
                left -= 1
                return { waitMs: 1 }
              }),
            )
          })
          expect(await Promise.all(waiting)).toEqual(requests.map((_, index) => ({ answer: index })))
          for (const key of ['a', 'b']) {
            const mine = requests.flatMap((request, index) => (request.key === key ? [index] : []))
            expect(over[key]).toEqual(mine)
            expect(asked[key]).toEqual(mine.flatMap((index) => Array(1 + (requests[index]?.refusals ?? 0)).fill(index)))
            expect(hasLine(lines, key)).toBe(false)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('has a line until the last of it has left, so that nobody slips in', async () => {
    const lines = new WaitingLines<Told>()
    const first = lines.join(
      'a',
      { waitMs: 10_000 },
      turnOf(() => ({ waitMs: 10_000 })),
    )
    expect([hasLine(lines, 'a'), hasLine(lines, 'b')]).toEqual([true, false])
    lines.close()
    expect(leftOf(await first)).toBe('closed')
    expect(hasLine(lines, 'a')).toBe(false)
    expect(
      leftOf(
        await lines.join(
          'a',
          { waitMs: 0 },
          turnOf(() => ({ answer: 1 })),
        ),
      ),
    ).toBe('closed')
  })

  it('takes no more than there are places, in a line and in all', async () => {
    const lines = new WaitingLines<Told>()
    const few = { ...bounds, maxWaiting: 2, maxWaitingInAll: 3 }
    const join = (key: string) =>
      lines.join(
        key,
        { waitMs: 10_000 },
        turnOf(() => ({ waitMs: 10_000 }), { bounds: few }),
      )
    const waiting = [join('a'), join('a')]
    expect(leftOf(await join('a'))).toBe('full')
    waiting.push(join('b'))
    expect(leftOf(await join('c'))).toBe('full')
    lines.close()
    expect((await Promise.all(waiting)).map(leftOf)).toEqual(['closed', 'closed', 'closed'])
  })

  it('tells who leaves what the first of its line was told last', async () => {
    const lines = new WaitingLines<Told>()
    const few = { ...bounds, maxWaiting: 1 }
    const first = lines.join(
      'a',
      { waitMs: 1 },
      turnOf(() => ({ waitMs: 12_000 }), { bounds: few }),
    )
    const second = () =>
      lines.join(
        'a',
        { waitMs: 5 },
        turnOf(() => ({ answer: 1 }), { bounds: few }),
      )
    expect(await second()).toEqual({ left: 'full', told: { waitMs: 1 } })
    await until(() => lines.toldLast('a')?.waitMs === 12_000)
    expect(await second()).toEqual({ left: 'full', told: { waitMs: 12_000 } })
    lines.close()
    expect(await first).toEqual({ left: 'closed', told: { waitMs: 12_000 } })
    expect(await second()).toEqual({ left: 'closed', told: { waitMs: 5 } })
  })

  it('lets go at once of who is gone, also in the middle, and of who was gone before', async () => {
    const lines = new WaitingLines<Told>()
    const controllers = [new AbortController(), new AbortController(), new AbortController()]
    let room = false
    const waiting = controllers.map(({ signal }, index) =>
      lines.join(
        'a',
        { waitMs: 5 },
        turnOf(() => (room ? { answer: index } : { waitMs: 5 }), { signal }),
      ),
    )
    controllers[1]?.abort()
    expect(leftOf((await waiting[1]) as Waited<number, Told>)).toBe('gone')
    controllers[0]?.abort()
    expect(leftOf((await waiting[0]) as Waited<number, Told>)).toBe('gone')
    room = true
    expect(await waiting[2]).toEqual({ answer: 2 })
    const gone = turnOf(() => ({ answer: 1 }), { signal: AbortSignal.abort() })
    expect(leftOf(await lines.join('a', { waitMs: 0 }, gone))).toBe('gone')
  })

  it('undoes an answer that comes when nobody is there any more, and goes on with the next', async () => {
    const lines = new WaitingLines<Told>()
    const controller = new AbortController()
    let answer: (value: { answer: string }) => void = () => undefined
    const undone: string[] = []
    const first = lines.join(
      'a',
      { waitMs: 0 },
      turnOf<string>(() => new Promise((resolve) => (answer = resolve)), {
        signal: controller.signal,
        // A counter that fails just then: nobody is there to hear of it.
        undo: (late) => {
          undone.push(late)
          return Promise.reject(new Error('out of reach'))
        },
      }),
    )
    const second = lines.join(
      'a',
      { waitMs: 0 },
      turnOf(() => ({ answer: 'second' })),
    )
    await sleep(20)
    controller.abort()
    expect(leftOf(await first)).toBe('gone')
    // It still asks: nobody may slip in before it is known what becomes of that.
    expect(hasLine(lines, 'a')).toBe(true)
    answer({ answer: 'first' })
    expect(await second).toEqual({ answer: 'second' })
    expect(undone).toEqual(['first'])
  })

  it('hands a failure to whose it is, and goes on with the next', async () => {
    const lines = new WaitingLines<Told>()
    const broken = new Error('broken')
    const first = lines.join(
      'a',
      { waitMs: 0 },
      turnOf(() => Promise.reject(broken)),
    )
    const second = lines.join(
      'a',
      { waitMs: 0 },
      turnOf(() => ({ answer: 2 })),
    )
    await expect(first).rejects.toBe(broken)
    expect(await second).toEqual({ answer: 2 })
  })

  it('asks at once when something was given back, also while it is asking', async () => {
    const lines = new WaitingLines<Told>()
    let room = false
    const waiting = lines.join(
      'a',
      { waitMs: 15_000 },
      turnOf(() => (room ? { answer: 1 } : { waitMs: 15_000 })),
    )
    lines.poke('a')
    lines.poke('nobody')
    await sleep(20)
    room = true
    lines.poke('a')
    expect(await waiting).toEqual({ answer: 1 })
    let asked = 0
    const poked = lines.join(
      'a',
      { waitMs: 0 },
      turnOf(async () => {
        asked += 1
        if (asked === 1) lines.poke('a')
        return asked === 1 ? { waitMs: 15_000 } : { answer: asked }
      }),
    )
    expect(await poked).toEqual({ answer: 2 })
  })

  it('does not wait longer than it may', async () => {
    const lines = new WaitingLines<Told>()
    const short = { ...bounds, maxWaitMs: 20 }
    expect(
      leftOf(
        await lines.join(
          'a',
          { waitMs: 60_000 },
          turnOf(() => ({ answer: 1 }), { bounds: short }),
        ),
      ),
    ).toBe('late')
    expect(hasLine(lines, 'a')).toBe(false)
  })
})
