/** What a counter was told of a charge, for it alone, and once. */
export class Receipt<Charged> {
  readonly #counter: object
  #charged: Charged | undefined

  constructor(counter: object, charged: Charged) {
    this.#counter = counter
    this.#charged = charged
  }

  spend(counter: object): Charged | undefined {
    if (counter !== this.#counter) return undefined
    const charged = this.#charged
    this.#charged = undefined
    return charged
  }
}

/** `undefined` for what is no receipt of this counter, or was spent. */
export function spendReceipt<Charged>(counter: object, receipt: unknown): Charged | undefined {
  return receipt instanceof Receipt ? (receipt as Receipt<Charged>).spend(counter) : undefined
}
