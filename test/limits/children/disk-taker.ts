// Takes as it is told by each line of its input, or one after the other until it is killed.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { CounterLimit } from '../../../src/limits/counter.js'
import { diskCounter } from '../../../src/limits/disk-counter.js'

const [, , path = '', subject = '', requests = '', mode = ''] = process.argv
const limits: CounterLimit[] = [
  { key: 'fixed:3600000', requests: Number(requests), algorithm: 'fixed', windowMs: 3_600_000 },
  { key: 'calendar:month', requests: Number(requests), algorithm: 'calendar', unit: 'month', timeZone: 'UTC' },
]
const counter = diskCounter({ path })
writeSync(1, 'ready\n')

if (mode === 'until killed') {
  for (;;) writeSync(1, counter.take(subject, limits, 1).taken ? 'taken\n' : 'refused\n')
}
for await (const line of createInterface({ input: process.stdin })) {
  let taken = 0
  for (let index = 0; index < Number(line); index += 1) if (counter.take(subject, limits, 1).taken) taken += 1
  writeSync(1, `${String(taken)}\n`)
}
await counter.close()
