import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { ClienteleFault } from '../decisions/faults.js'

/** bcrypt looks at no more: two secrets with the same beginning would be one. */
const longestBytes = 72

/** A thread of its own, since the check is plain JavaScript and would hold the event loop for as long as it takes. */
const source = `
const { parentPort, workerData } = require('node:worker_threads')
const { compareSync } = require(workerData)
parentPort.on('message', ({ id, text, hash }) => {
  parentPort.postMessage({ id, equal: compareSync(text, hash) })
})`

interface Waiting {
  readonly resolve: (equal: boolean) => void
  readonly reject: (error: Error) => void
}

let thread: Worker | undefined
let lastId = 0
const waiting = new Map<number, Waiting>()

/** Whether a text is what a bcrypt hash was made of. The cost was capped when the record was checked. */
export function matchesBcrypt(hash: string, text: string): Promise<boolean> {
  if (Buffer.byteLength(text) > longestBytes || text.includes('\0')) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    thread ??= started()
    // Only while somebody waits for it does it keep the process from ending.
    thread.ref()
    const id = ++lastId
    waiting.set(id, { resolve, reject })
    thread.postMessage({ id, text, hash })
  })
}

function started(): Worker {
  const path = createRequire(import.meta.url).resolve('bcryptjs')
  const worker = new Worker(source, { eval: true, workerData: path })
  worker.on('message', ({ id, equal }: { readonly id: number; readonly equal: boolean }) => {
    waiting.get(id)?.resolve(equal)
    waiting.delete(id)
    if (waiting.size === 0) worker.unref()
  })
  worker.on('error', failed)
  return worker
}

function failed(cause: unknown): void {
  thread = undefined
  const message = 'The check of an imported secret failed.'
  for (const { reject } of waiting.values()) reject(new ClienteleFault('ERR_CLIENTELE_BUSY', message, { cause }))
  waiting.clear()
}
