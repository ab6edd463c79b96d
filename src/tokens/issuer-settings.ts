import type { FetchLimits } from '../runtime/bounded-fetch.js'
import type { Lifetimes } from './refreshed.js'

/** How one issuer is spoken to. */
export interface IssuerSettings extends FetchLimits, Lifetimes {
  /** As its tokens have it in `iss`, byte for byte. */
  readonly issuer: string
  /** Allows `http:`, which lets anybody on the way choose the keys. */
  readonly allowInsecureRequests: boolean
}

export function hostOf(url: string): string {
  return new URL(url).host
}
