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

/** The same of what `createCluster` of `redis` returns. */
export interface NodeRedisCluster {
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, command: string[]): Promise<unknown>
  getRandomNode(): unknown
  nodeClient(node: unknown): Promise<Pick<NodeRedisClient, 'duplicate'>>
  on(event: 'error', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
}

/** What is used of a client of `ioredis`. */
export interface IoredisClient {
  call(command: string, ...parameters: string[]): Promise<unknown>
  duplicate(): IoredisSubscriber
  /** A `Cluster` has these. */
  nodes?(role: 'master'): readonly Pick<IoredisClient, 'duplicate'>[]
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

/** What is used of a client of `@valkey/valkey-glide`, which opens no second connection to listen on. */
export interface GlideClient {
  customCommand(command: string[]): Promise<unknown>
}

export type RedisClient = NodeRedisClient | NodeRedisCluster | IoredisClient

/** For what only asks, and listens to nothing. */
export type RedisCommandClient = RedisClient | GlideClient
