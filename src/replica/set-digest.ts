import { createHash } from 'node:crypto'

const words = 8

/**
 * A digest of a set of lines that does not ask for their order. It tells what was cut off or mixed up; against who
 * makes lines up on purpose stands the signature over all of them.
 */
export class SetDigest {
  readonly #sum = new Uint32Array(words)
  #count = 0

  add(line: string): void {
    const digest = createHash('sha256').update(line).digest()
    for (let word = 0; word < words; word++) this.#sum[word] = (this.#sum[word] ?? 0) + digest.readUInt32LE(word * 4)
    this.#count += 1
  }

  get count(): number {
    return this.#count
  }

  get text(): string {
    return Buffer.from(this.#sum.buffer).toString('base64url')
  }
}
