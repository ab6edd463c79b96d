const safeWord = /^[A-Za-z0-9_]{1,64}$/

export interface DeliveryFailureOptions {
  /**
   * `'everything'`: the other side is away, so what follows waits too and nothing overtakes. `'this'`: others may still
   * get theirs, so this one is set aside until it is tried again. `'for good'`: trying again is no use. @default 'everything'
   */
  readonly about?: 'everything' | 'this' | 'for good'
}

/** What a `deliver` throws to say how a delivery failed; whatever else it throws is about `'everything'`. */
export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure'
  readonly reason: string
  readonly about: 'everything' | 'this' | 'for good'

  /** `reason`: one word, for the store, events and logs. No address, no answer of somebody. */
  constructor(reason: string, { about = 'everything' }: DeliveryFailureOptions = {}) {
    super(`A delivery failed (${wordOr(reason, 'FAILED')}).`)
    this.reason = wordOr(reason, 'FAILED')
    this.about = about
  }
}

/** Messages of others may hold addresses and what was sent; a code is a word. */
export function failureOf(error: unknown, about: DeliveryFailure['about'] = 'everything'): DeliveryFailure {
  if (error instanceof DeliveryFailure) return error
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown
    name?: unknown
  }
  return new DeliveryFailure(wordOr(code, wordOr(name, 'FAILED')), { about })
}

function wordOr(word: unknown, otherwise: string): string {
  return typeof word === 'string' && safeWord.test(word) ? word : otherwise
}
