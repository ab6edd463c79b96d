import { METHODS } from 'node:http'
import type { Place } from './place.js'

/** A function that a framework calls with a request; those of policies carry what they enforce. */
export type Station = ((...given: never[]) => unknown) & { readonly policy?: unknown }

/** What requests come by, in the order in which they do. */
export type Stop =
  | {
      readonly kind: 'middleware'
      readonly place: Place
      readonly station: Station
    }
  | {
      readonly kind: 'route'
      readonly place: Place
      /** In capitals; `ALL` stands for every method. */
      readonly method: string
      readonly stations: readonly Station[]
    }

export function nameOf(station: Station): string {
  return station.name === '' ? '<anonymous>' : station.name
}

/** `all` registers every method that Node knows by itself; one less, and that one is open. */
export function isForAll(methods: readonly string[]): boolean {
  return METHODS.every((method) => methods.includes(method))
}

/** Lets nobody pass whom it does not know. */
export function isGuard({ policy }: Station): boolean {
  return typeof policy === 'object' && policy !== null && ('recognise' in policy || 'branches' in policy)
}

/** One of ours: it may turn a request away, and never answers it with data. */
export function isPolicy({ policy }: Station): boolean {
  return typeof policy === 'object' && policy !== null && 'decide' in policy
}
