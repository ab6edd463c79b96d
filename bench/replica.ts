// How long it takes to copy so many contracts over HTTP, and to open the copy again. By hand, since a million takes
// minutes: npx tsup --no-dts --silent && node --expose-gc --import tsx bench/replica.ts 1000000
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Change } from 'clientele'
import { diskStore, type DiskStore } from 'clientele/disk'
import { contractFeed, httpSource, replicate, type ContractSource, type Replica } from 'clientele/replica'

export interface Replicated {
  readonly contracts: number
  /** The feed has read its store whole. */
  readonly feedSeconds: number
  /** From the first question until every record is in force on disk. */
  readonly copySeconds: number
  /** The longest that the process had no time for anything else meanwhile. */
  readonly longestHoldMs: number
  /** `replicate()` and one find, on what is there. */
  readonly openMs: number
  readonly feedMegabytes: number
}

const signature = { sharedKey: 'a key of thirty-two characters or more' }
const stamp = '2026-01-02T03:04:05.678Z'

export async function timeToReplicate(contracts: number): Promise<Replicated> {
  const directory = mkdtempSync(join(tmpdir(), 'clientele-bench-'))
  const store = await storeOf(contracts, directory)
  const heapBefore = heapMegabytes()
  const feed = contractFeed(store, { authorize: () => true, signature, scanEveryMs: 86_400_000 })
  const server = createServer(feed).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  const feedSeconds = await secondsUntil(() => isServed(url))
  const feedMegabytes = heapMegabytes() - heapBefore
  const from = httpSource({
    url,
    signature,
    allowInsecureRequests: true,
    timeoutMs: 3_600_000,
    maxResponseBytes: 2 ** 31,
  })
  const holds = watchHolds()
  const first = open(from, directory)
  const copySeconds = await secondsUntil(() => first.ready().ready)
  const longestHoldMs = holds.stop()
  await first.close()
  const openedAt = performance.now()
  const second = open(from, directory)
  void second.findContract('client-1', 'orders')
  const openMs = performance.now() - openedAt
  await second.close()
  feed.close()
  server.close().closeAllConnections()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
  return { contracts, feedSeconds, copySeconds, longestHoldMs, openMs, feedMegabytes }
}

function open(from: ContractSource, directory: string): Replica {
  const onEvent = (event: { readonly kind: string }): void => {
    if (event.kind === 'failed') console.error(event)
  }
  return replicate({ from, into: { path: join(directory, 'replica') }, maxAgeMs: 3_600_000, onEvent })
}

/** Without what is only waiting to be collected, where that can be asked for. */
function heapMegabytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

async function storeOf(contracts: number, directory: string): Promise<DiskStore> {
  const store = diskStore({ path: join(directory, 'source'), cachedRecords: 1 })
  for (let at = 0; at < contracts; at += 1000) {
    await store.commit(Array.from({ length: Math.min(1000, contracts - at) }, (_, index) => contractOf(at + index)))
  }
  return store
}

function contractOf(index: number): Change {
  const key = { client: `client-${String(index)}`, api: 'orders' }
  const stamps = { createdAt: stamp, updatedAt: stamp, updatedBy: 'bench' }
  const value = { ...key, version: 1, state: 'approved', tier: 'gold', barred: false, ...stamps } as const
  return { kind: 'contract', key, expect: null, value }
}

async function isServed(url: string): Promise<boolean> {
  const { ok, body } = await fetch(`${url}/?nonce=n&waitMs=0`)
  await body?.cancel()
  return ok
}

async function secondsUntil(isSo: () => boolean | Promise<boolean>): Promise<number> {
  const begunAt = performance.now()
  while (!(await isSo())) await sleep(20)
  return (performance.now() - begunAt) / 1000
}

function watchHolds(): { stop(): number } {
  let longestMs = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - last)
    last = now
  }, 1)
  return {
    stop() {
      clearInterval(timer)
      return longestMs
    },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.table([await timeToReplicate(Number(process.argv[2] ?? 100_000))])
}
