import { Agent, request } from 'node:http'

export interface Flooding {
  readonly path: string
  /** The fields of the request with this index. */
  readonly fields: (index: number) => Record<string, string>
  /** How many are under way at a time. */
  readonly atOnce?: number
}

/** Very many requests over sockets that stay open. How often each status came. */
export async function flood(url: string, count: number, { path, fields, atOnce = 100 }: Flooding) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const statuses: Record<number, number> = {}
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next
      next += 1
      const status = await statusOf(url, path, fields(index), agent)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
  } finally {
    agent.destroy()
  }
  return statuses
}

function statusOf(url: string, path: string, headers: Record<string, string>, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { headers, agent }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0)
      })
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // The server may close a socket that waited too long just when it is used again: nothing has arrived then.
      if (outgoing.reusedSocket && error.code === 'ECONNRESET') resolve(statusOf(url, path, headers, agent))
      else reject(error)
    })
    outgoing.end()
  })
}
