// Takes as each line of its input tells it: how many, and whether all at once or one after the other.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { redisCounter } from '../../../src/limits/redis-counter.js'
import { limitOf } from '../../../src/testing/counter/bench.js'

const [, , url = '', prefix = '', requests = '', windowMs = '', leaseMs = ''] = process.argv
const client = new Redis(url)
const lease = leaseMs === '' ? {} : { lease: { maxMs: Number(leaseMs) } }
const counter = redisCounter(client, { prefix, timeoutMs: 20_000, ...lease })
const limits = [limitOf(Number(requests), Number(windowMs))]
await counter.ready()
process.stdout.write('ready\n')

const take = async (): Promise<void> => {
  const { taken } = await counter.take('a', limits, 1)
  process.stdout.write(taken ? 'taken\n' : 'refused\n')
}
for await (const line of createInterface({ input: process.stdin })) {
  const [way, times = ''] = line.split(' ')
  if (way === 'together') await Promise.all(Array.from({ length: Number(times) }, take))
  for (let time = 0; way !== 'together' && time < Number(times); time += 1) {
    await take()
    if (way === 'slowly') await sleep(5)
  }
  process.stdout.write('done\n')
}
await counter.close()
client.disconnect()
