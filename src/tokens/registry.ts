import { fingerprint } from '../runtime/fingerprint.js'

/** Makes one thing per configuration, and gives it to whoever asks for the same. */
export type Once = <T>(configuration: readonly unknown[], make: () => T) => T

/** The configurations hold secrets, so they are kept as fingerprints. */
export function registry(): Once {
  const made = new Map<string, unknown>()
  return <T>(configuration: readonly unknown[], make: () => T): T => {
    const name = fingerprint(JSON.stringify(configuration))
    if (!made.has(name)) made.set(name, make())
    return made.get(name) as T
  }
}

const numbers = new WeakMap<object, number>()
let last = 0

/** Stands for an object that cannot be written down, in a configuration. */
export function numberOf(object: object): number {
  let number = numbers.get(object)
  if (number === undefined) {
    number = ++last
    numbers.set(object, number)
  }
  return number
}
