import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { RedisClient } from '../../src/redis.js'

export interface OpenedClient {
  readonly client: RedisClient
  command(...command: string[]): Promise<unknown>
  close(): void
}

/** Both clients that people use, as they would make them. */
export const redisClients: Readonly<Record<string, (url: string) => Promise<OpenedClient>>> = {
  async redis(url) {
    const client = createClient({ url })
    client.on('error', () => undefined)
    await client.connect()
    return {
      client,
      command: (...command) => client.sendCommand(command),
      close: () => {
        client.destroy()
      },
    }
  },
  async ioredis(url) {
    const client = new Redis(url)
    client.on('error', () => undefined)
    await client.ping()
    return {
      client,
      command: (name = '', ...rest) => client.call(name, ...rest),
      close: () => {
        client.disconnect()
      },
    }
  },
}
