import { GlideClient, Logger } from '@valkey/valkey-glide'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { RedisClient, RedisCommandClient } from '../../src/redis.js'

export interface OpenedClient<Client = RedisClient> {
  readonly client: Client
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

/** With those that only ask, and cannot listen. */
export const commandClients: Readonly<Record<string, (url: string) => Promise<OpenedClient<RedisCommandClient>>>> = {
  ...redisClients,
  async 'valkey-glide'(url) {
    // It writes what the server refuses to the terminal, also that it does not know a script yet.
    Logger.init('off')
    const { hostname: host, port } = new URL(url)
    const client = await GlideClient.createClient({ addresses: [{ host, port: Number(port) }], requestTimeout: 10_000 })
    return {
      client,
      command: (...command) => client.customCommand(command),
      close: () => {
        client.close()
      },
    }
  },
}
