import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { slowGate } from '../../src/runtime/slow-gate.js'

const full = (): Error => new Error('full')

describe('slowGate', () => {
  it('lets few in at once, the others in their turn', async () => {
    const gate = slowGate({ running: 2, waiting: 10, waitMs: 1000 }, full)
    let inside = 0
    let most = 0
    const order: number[] = []
    const work = (name: number) => async (): Promise<number> => {
      most = Math.max(most, ++inside)
      order.push(name)
      await sleep(5)
      inside--
      return name
    }
    const done = await Promise.all([1, 2, 3, 4, 5].map((name) => gate(work(name))))
    expect({ most, order, done }).toEqual({ most: 2, order: [1, 2, 3, 4, 5], done: [1, 2, 3, 4, 5] })
  })

  it('turns away whoever finds the line full', async () => {
    const gate = slowGate({ running: 1, waiting: 1, waitMs: 1000 }, full)
    const first = gate(() => sleep(20))
    const second = gate(() => sleep(1))
    await expect(gate(() => sleep(1))).rejects.toThrow('full')
    await Promise.all([first, second])
  })

  it('turns away whoever has waited too long, and keeps no place for him', async () => {
    const gate = slowGate({ running: 1, waiting: 1, waitMs: 20 }, full)
    const slow = gate(() => sleep(80, 'slow'))
    await expect(gate(() => sleep(1))).rejects.toThrow('full')
    expect(await slow).toBe('slow')
    expect(await gate(() => sleep(1, 'next'))).toBe('next')
  })

  it('gives the place of failed work to the next', async () => {
    const gate = slowGate({ running: 1, waiting: 1, waitMs: 1000 }, full)
    const failing = gate(() => Promise.reject(new Error('failed')))
    const next = gate(() => sleep(1, 'next'))
    await expect(failing).rejects.toThrow('failed')
    expect(await next).toBe('next')
  })
})
