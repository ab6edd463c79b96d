import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Counter } from '../limits/counter.js'
import type { ConfigFile } from './config-file.js'
import { CliError, wrongInput } from './exit-codes.js'
import { connected, isRedisUrl, redisClient, taken, urlOf, type NamedPlace } from './places.js'

/** A counter, and the way to let go of it. */
export interface OpenedCounter {
  readonly counter: Counter
  close(): Promise<void>
}

/** The counter that was named, else that of the config file; `undefined` where there is neither. */
export async function openCounter(
  argument: string | undefined,
  config: ConfigFile | undefined,
): Promise<OpenedCounter | undefined> {
  const variable = 'CLIENTELE_COUNTER'
  const place = { argument, environment: process.env[variable], option: '--counter', variable }
  const location = argument ?? (config?.counter === undefined ? place.environment : undefined)
  if (location !== undefined) return open(location, place)
  return config?.counter && { counter: config.counter, close: () => Promise.resolve() }
}

export function missingCounter(): CliError {
  return wrongInput(
    'name the counter with --counter, in CLIENTELE_COUNTER or in a config file; what a memoryCounter() has counted, its own process alone can tell',
  )
}

async function open(location: string, place: NamedPlace): Promise<OpenedCounter> {
  if (isRedisUrl(location)) return openRedis(urlOf(location, place))
  if (/^[a-z]+:\/\//i.test(location)) throw wrongInput('--counter: expected redis:, rediss: or a directory')
  if (!existsSync(join(location, 'data.mdb'))) throw new CliError('notFound', `there is no counter in ${location}`)
  const { diskCounter } = await import('../limits/disk-counter.js')
  const counter = diskCounter({ path: location })
  return { counter, close: () => counter.close() }
}

async function openRedis(url: URL): Promise<OpenedCounter> {
  const { redisCounter } = await import('../limits/redis-counter.js')
  const options = taken(url, 'prefix')
  const client = await redisClient(url)
  const counter = redisCounter(client, options)
  await connected(client, 'the counter')
  const close = (): Promise<void> => {
    client.destroy()
    return Promise.resolve()
  }
  return { counter, close }
}
