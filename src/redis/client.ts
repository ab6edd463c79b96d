import { optionsFault } from '../runtime/check.js'
import type { RedisClient, RedisCommandClient } from './clients.js'
import type { RedisCommands, RedisConnection } from './connection.js'
import { ioredis } from './ioredis.js'
import { nodeRedis, nodeRedisCluster } from './node-redis.js'

/** `where` is the function that was given the client. */
export function connectionOf(client: RedisClient, where: string): RedisConnection {
  const connection = connectionOn(client)
  if (!connection) throw optionsFault(where, 'expected a client of redis or ioredis')
  return { ...connection, close: listenToErrors(client) }
}

/** For whoever listens to nothing. */
export function commandsOf(client: RedisCommandClient, where: string): RedisCommands {
  const glide = client as { customCommand?: unknown } | undefined | null
  if (typeof glide?.customCommand === 'function' && 'customCommand' in client) {
    return { command: (...command) => client.customCommand(command), close: () => undefined }
  }
  const connection = connectionOn(client as RedisClient)
  if (!connection) throw optionsFault(where, 'expected a client of redis, ioredis or @valkey/valkey-glide')
  return { command: connection.command, close: listenToErrors(client as RedisClient) }
}

/** A cluster of `redis` has a `duplicate` too, which is not what is listened with. */
function connectionOn(client: RedisClient): Omit<RedisConnection, 'close'> | undefined {
  const members = client as { on?: unknown; duplicate?: unknown } | undefined | null
  if (typeof members?.on !== 'function' || typeof members.duplicate !== 'function') return undefined
  if ('call' in client) return ioredis(client)
  if ('nodeClient' in client) return nodeRedisCluster(client)
  return 'sendCommand' in client ? nodeRedis(client) : undefined
}

/** How many listen to the errors of a client: one listener does for all, or Node would warn of the eleventh. */
const listening = new WeakMap<RedisClient, number>()

/** Without a listener, a connection that breaks would end the process or fill its log. */
function listenToErrors(client: RedisClient): () => void {
  const others = listening.get(client) ?? 0
  if (others === 0) client.on('error', ignore)
  listening.set(client, others + 1)
  let isClosed = false
  return () => {
    if (isClosed) return
    isClosed = true
    const left = (listening.get(client) ?? 1) - 1
    listening.set(client, left)
    if (left === 0) client.removeListener('error', ignore)
  }
}

function ignore(): void {
  return undefined
}
