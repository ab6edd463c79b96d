import type { BodyPath } from './http-request.js'
import type { Strip } from './policy.js'

/** All places in which several policies look for credentials, whichever of them a request is turned away by. */
export class SecretPlaces implements Strip {
  readonly headers: string[] = []
  readonly query: string[] = []
  readonly body: BodyPath[] = []

  add(strip: Strip | undefined): void {
    if (strip === undefined) return
    addNew(this.headers, strip.headers, String)
    addNew(this.query, strip.query, String)
    addNew(this.body, strip.body ?? [], JSON.stringify)
  }
}

function addNew<T>(known: T[], more: readonly T[], keyOf: (one: T) => string): void {
  const keys = new Set(known.map(keyOf))
  known.push(...more.filter((one) => !keys.has(keyOf(one))))
}
