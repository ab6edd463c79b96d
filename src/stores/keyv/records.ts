import { outage, type Backend } from './backend.js'
import { headText, overlaid, parseHead, type Head } from './head.js'
import { headKey } from './keys.js'

/** What stands under some keys, and the head that was read with it. */
export interface Reading {
  readonly head: Head
  readonly texts: readonly (string | undefined)[]
}

/** Texts by key as of the last commit, whether it has reached its places or not. */
export class KeyvRecords {
  readonly #backend: Backend
  #known: { readonly text: string; readonly head: Head } | undefined

  constructor(backend: Backend) {
    this.#backend = backend
  }

  /** Whether the head was there before: then it does not go away by itself. */
  get met(): boolean {
    return this.#known !== undefined
  }

  /** `undefined`: nothing of ours is in this Keyv. */
  async read(keys: readonly string[]): Promise<Reading | undefined> {
    // The head last: where the adapter asks one by one, an outage that begins in between shows in it.
    const texts = await this.#backend.read([...keys, headKey])
    const own = texts.at(-1)
    if (own === undefined) return undefined
    const head = this.#headOf(own)
    const found = texts.slice(0, -1)
    if (head.pending.length === 0) return { head, texts: found }
    return { head, texts: found.map((text, at) => overlaid(head, keys[at] ?? '', text)) }
  }

  /** Writes, and looks: an adapter may hide that it failed, a column may cut off what is too long. */
  async put(entries: ReadonlyMap<string, string | null>): Promise<void> {
    if (entries.size === 0) return
    const keys = [...entries.keys()]
    await Promise.all([...entries].map(([key, text]) => this.#backend.write(key, text)))
    const texts = await this.#backend.read([...keys, headKey])
    const kept = keys.every((key, at) => (texts[at] ?? null) === entries.get(key))
    // Without the head this was no look at all, and what was to be deleted may stand there still.
    if (!kept || texts.at(-1) === undefined)
      throw outage('what was written is not what stands there now; is there room for it, and one writer?')
  }

  putHead(head: Head): Promise<void> {
    return this.put(new Map([[headKey, headText(head)]]))
  }

  #headOf(text: string): Head {
    if (this.#known?.text !== text) this.#known = { text, head: parseHead(text) }
    return this.#known.head
  }
}
