import type { IoredisClient } from './clients.js'
import type { RedisConnection } from './connection.js'

export function ioredis(client: IoredisClient): Omit<RedisConnection, 'close'> {
  return {
    command: (name = '', ...parameters) => client.call(name, ...parameters),
    subscribe(channel, message, lost) {
      const own = anyNode(client).duplicate()
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

/**
 * To listen to one node of a cluster, to which the others pass on what is told: the cluster's own subscription moves from
 * node to node without saying that it heard nothing meanwhile.
 */
function anyNode(client: IoredisClient): Pick<IoredisClient, 'duplicate'> {
  const masters = client.nodes?.('master') ?? []
  return masters[Math.floor(Math.random() * masters.length)] ?? client
}
