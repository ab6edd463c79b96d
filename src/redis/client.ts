import { optionsFault } from '../runtime/check.js'
import type { Subscribed } from '../runtime/subscribed.js'

/** What is used of a client of `redis` (5 or 6). */
export interface NodeRedisClient {
  sendCommand(command: string[]): Promise<unknown>
  duplicate(): NodeRedisSubscriber
  on(event: 'error', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
}

export interface NodeRedisSubscriber {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  ping(): Promise<unknown>
  destroy(): void
  readonly isReady: boolean
  on(event: 'error' | 'end' | 'ready', listener: () => void): unknown
}

/** What is used of a client of `ioredis`. */
export interface IoredisClient {
  call(command: string, ...parameters: string[]): Promise<unknown>
  duplicate(): IoredisSubscriber
  on(event: 'error', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
}

export interface IoredisSubscriber {
  subscribe(channel: string): Promise<unknown>
  ping(): Promise<unknown>
  disconnect(): void
  on(event: 'error' | 'end' | 'close', listener: () => void): unknown
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
}

export type RedisClient = NodeRedisClient | IoredisClient

/** The same of either. */
export interface RedisConnection {
  command(...command: string[]): Promise<unknown>
  subscribe(channel: string, message: (text: string) => void, lost: () => void): Subscribed
  close(): void
}

/** `where` is the function that was given the client. */
export function connectionOf(client: RedisClient, where: string): RedisConnection {
  const members = client as Partial<NodeRedisClient & IoredisClient> | undefined
  const isClient = typeof members?.duplicate === 'function' && typeof members.on === 'function'
  const connection = isClient && ('call' in client ? ioredis(client) : 'sendCommand' in client && nodeRedis(client))
  if (!connection) throw optionsFault(where, 'expected a client of redis or ioredis')
  // Without a listener, a connection that breaks would end the process or fill its log.
  client.on('error', ignore)
  return {
    ...connection,
    close: () => {
      client.removeListener('error', ignore)
    },
  }
}

function ignore(): void {
  return undefined
}

function nodeRedis(client: NodeRedisClient): Omit<RedisConnection, 'close'> {
  return {
    command: (...command) => client.sendCommand(command),
    subscribe(channel, message, lost) {
      const own = client.duplicate()
      let isClosed = false
      own.on('end', lost)
      own.on('error', () => {
        // Before it connects again by itself: what is closed on its way to a socket would leave that socket open.
        destroy(own)
        lost()
      })
      own.on('ready', () => {
        if (isClosed) destroy(own)
      })
      return {
        ready: own.connect().then(() => own.subscribe(channel, message)),
        ping: () => own.ping(),
        close: () => {
          isClosed = true
          if (own.isReady) destroy(own)
        },
      }
    },
  }
}

/** Throws for one that is closed already. */
function destroy(own: NodeRedisSubscriber): void {
  try {
    own.destroy()
  } catch {
    // What was wanted.
  }
}

function ioredis(client: IoredisClient): Omit<RedisConnection, 'close'> {
  return {
    command: (name = '', ...parameters) => client.call(name, ...parameters),
    subscribe(channel, message, lost) {
      const own = client.duplicate()
      for (const event of ['error', 'end', 'close'] as const) own.on(event, lost)
      own.on('message', (_channel, text) => {
        message(text)
      })
      return {
        ready: own.subscribe(channel),
        ping: () => own.ping(),
        close: () => {
          own.disconnect()
        },
      }
    },
  }
}
