import type { RedisClient } from 'clientele/redis'
import { askScript, settleScript } from '../../../src/limits/redis/lease-scripts.js'
import { giveBackScript, resetScript, takeScript } from '../../../src/limits/redis/scripts.js'
import type { OpenedClient } from '../../stores/redis-clients.js'

const scripts = new Map(
  [takeScript, giveBackScript, resetScript, askScript, settleScript].map(({ sha, text }) => [sha, onSetClock(text)]),
)

/** A server whose time is what the test says, to the millisecond: its scripts look it up. */
function onSetClock(text: string): string {
  const time = `(function()
    local ms = tonumber(redis.call('GET', 'clock'))
    return { math.floor(ms / 1000), (ms % 1000) * 1000 }
  end)()`
  if (!text.includes("redis.call('TIME')")) throw new Error('this script asks nobody for the time')
  // Keys end by the server's own clock, which goes on while the one that is set stands still.
  return text.replace("redis.call('TIME')", time).replace("'PX', math.ceil(kept - now)", "'PX', 600000")
}

/** For a server of a test's own, on which `nowMs` is told before each script. */
export function clientOnSetClock({ command }: OpenedClient, nowMs: () => number): RedisClient {
  return {
    call: async (name: string, ...rest: string[]) => {
      const script = name === 'EVALSHA' ? scripts.get(rest[0] ?? '') : undefined
      if (script === undefined) return command(name, ...rest)
      const [, answer] = await Promise.all([
        command('SET', 'clock', String(nowMs())),
        command('EVAL', script, ...rest.slice(1)),
      ])
      return answer
    },
    duplicate: () => {
      throw new Error('nobody listens here')
    },
    on: () => undefined,
    removeListener: () => undefined,
  }
}
