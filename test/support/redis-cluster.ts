import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisClients } from '../stores/redis-clients.js'
import { RedisProcess } from './redis-process.js'
import { until } from './until.js'

const slots = 16_384

/** Three masters of a cluster, and one replica of the first. */
export class RedisCluster {
  readonly #folders: readonly string[]
  readonly #nodes: readonly RedisProcess[]

  private constructor(folders: readonly string[], nodes: readonly RedisProcess[]) {
    this.#folders = folders
    this.#nodes = nodes
  }

  static async start(): Promise<RedisCluster> {
    const folders = Array.from({ length: 4 }, () => mkdtempSync(join(tmpdir(), 'clientele-cluster-')))
    const nodes = await Promise.all(folders.map((folder) => RedisProcess.start(...settings(folder))))
    const cluster = new RedisCluster(folders, nodes)
    await cluster.#join()
    return cluster
  }

  get urls(): readonly string[] {
    return this.#nodes.map(({ url }) => url)
  }

  /** The first of the masters and its replica change places, once; nothing is lost. */
  async handOver(): Promise<void> {
    await this.#ask(3, 'CLUSTER', 'FAILOVER')
    await until(async () => String(await this.#ask(3, 'ROLE')).startsWith('master'))
  }

  /** Of a slot of the first master, so that the replica has it too. */
  async keyIsOnFirst(key: string): Promise<boolean> {
    return Number(await this.#ask(0, 'CLUSTER', 'KEYSLOT', key)) < Math.ceil(slots / 3)
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) await node.kill()
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }

  async #join(): Promise<void> {
    const share = Math.ceil(slots / 3)
    for (const index of [0, 1, 2]) {
      const range = [index * share, Math.min((index + 1) * share, slots) - 1].map(String)
      await this.#ask(index, 'CLUSTER', 'ADDSLOTSRANGE', ...range)
      await this.#ask(index, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    }
    for (const url of this.urls.slice(1)) await this.#ask(0, 'CLUSTER', 'MEET', '127.0.0.1', new URL(url).port)
    const first = String(await this.#ask(0, 'CLUSTER', 'MYID'))
    await until(async () => String(await this.#ask(3, 'CLUSTER', 'NODES')).includes(first))
    await this.#ask(3, 'CLUSTER', 'REPLICATE', first)
    const isWhole = async (index: number): Promise<boolean> => {
      const info = String(await this.#ask(index, 'CLUSTER', 'INFO'))
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:4')
    }
    for (const index of this.#nodes.keys()) await until(() => isWhole(index))
    await until(async () => String(await this.#ask(3, 'INFO', 'replication')).includes('master_link_status:up'))
  }

  async #ask(index: number, ...command: string[]): Promise<unknown> {
    const direct = await redisClients.ioredis!(this.urls[index]!)
    return direct.command(...command).finally(() => {
      direct.close()
    })
  }
}

function settings(folder: string): readonly string[] {
  const quick = ['--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0']
  return ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--dir', folder, ...quick]
}
