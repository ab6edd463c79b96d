import type { Subscribed } from '../runtime/subscribed.js'

/** The same of any client, of whichever library. */
export interface RedisCommands {
  command(...command: string[]): Promise<unknown>
  close(): void
}

export interface RedisConnection extends RedisCommands {
  subscribe(channel: string, message: (text: string) => void, lost: () => void): Subscribed
}
