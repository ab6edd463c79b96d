// What needs a Redis
export { redisCounter, type RedisCounter, type RedisCounterOptions } from './limits/redis-counter.js'
export type { IoredisClient, IoredisSubscriber, NodeRedisClient, NodeRedisSubscriber } from './redis/client.js'
export type { RedisClient } from './redis/client.js'
export { redisStore, type RedisStoreOptions } from './stores/redis-store.js'
export type { ServerStore } from './stores/server/server-store.js'
export { redisReplays, type RedisReplaysOptions } from './tokens/proof/redis-replays.js'
