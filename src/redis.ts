// What needs a Redis
export { redisCounter, type RedisCounter, type RedisCounterOptions } from './limits/redis-counter.js'
export type { GlideClient, RedisClient, RedisCommandClient } from './redis/clients.js'
export type { IoredisClient, IoredisSubscriber } from './redis/clients.js'
export type { NodeRedisClient, NodeRedisCluster, NodeRedisSubscriber } from './redis/clients.js'
export { redisStore, type RedisStoreOptions } from './stores/redis-store.js'
export type { ServerStore } from './stores/server/server-store.js'
export { redisReplays, type RedisReplaysOptions } from './tokens/proof/redis-replays.js'
