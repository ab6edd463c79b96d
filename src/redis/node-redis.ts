import type { Subscribed } from '../runtime/subscribed.js'
import type { NodeRedisClient, NodeRedisCluster, NodeRedisSubscriber } from './clients.js'
import type { RedisConnection } from './connection.js'

export function nodeRedis(client: NodeRedisClient): Omit<RedisConnection, 'close'> {
  return {
    command: (...command) => client.sendCommand(command),
    subscribe: (channel, message, lost) => listen(client.duplicate(), channel, message, lost),
  }
}

export function nodeRedisCluster(cluster: NodeRedisCluster): Omit<RedisConnection, 'close'> {
  return {
    command: (...command) => cluster.sendCommand(firstKeyOf(command), false, command),
    subscribe(channel, message, lost) {
      // On one node, to which the others pass on what is told: the cluster's own subscription moves from node to node
      // without saying that it heard nothing meanwhile.
      let [subscribed, isClosed]: [Subscribed | undefined, boolean] = [undefined, false]
      const listens = async (): Promise<unknown> => {
        const node = await cluster.nodeClient(cluster.getRandomNode())
        if (isClosed) return undefined
        subscribed = listen(node.duplicate(), channel, message, lost)
        return subscribed.ready
      }
      const found = listens()
      return {
        ready: found,
        ping: () => found.then(() => subscribed?.ping()),
        close: () => {
          isClosed = true
          subscribed?.close()
        },
      }
    },
  }
}

/** Scripts say how many keys they are given, and then which; all else that is asked here begins with one. */
function firstKeyOf([name = '', first, count, key]: readonly string[]): string | undefined {
  if (!name.startsWith('EVAL')) return first
  return count === '0' ? undefined : key
}

function listen(
  own: NodeRedisSubscriber,
  channel: string,
  message: (text: string) => void,
  lost: () => void,
): Subscribed {
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
}

/** Throws for one that is closed already. */
function destroy(own: NodeRedisSubscriber): void {
  try {
    own.destroy()
  } catch {
    // What was wanted.
  }
}
