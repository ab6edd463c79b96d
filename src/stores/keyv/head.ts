import { z } from 'zod'
import type { AnyRecord } from '../check-changes.js'
import { asciiJson, decoded } from './texts.js'

/** One record of a commit that may not have reached its place yet. */
export interface Pending {
  readonly key: string
  /** `null`: nothing stands there afterwards. */
  readonly value: AnyRecord | null
}

/**
 * What is read beside every record. That it is there tells a Keyv that has no such record from one that is out of
 * reach and hides it, has come back empty, or looks into another namespace.
 */
export interface Head {
  readonly writer: string
  /** The commit under way, whole. From the moment it stands here it is made: whoever reads a record looks here too. */
  readonly pending: readonly Pending[]
}

const format = 1

const headSchema = z.object({
  format: z.literal(format),
  writer: z.string(),
  pending: z.array(z.object({ key: z.string(), value: z.custom<AnyRecord | null>((value) => value !== undefined) })),
})

export function headText({ writer, pending }: Head): string {
  return asciiJson({ format, writer, pending })
}

export function parseHead(text: string): Head {
  return decoded('what is kept beside the records', text, (value) => headSchema.parse(value))
}

/** What a record is, given what stands in its place and what is on its way there. */
export function overlaid({ pending }: Head, key: string, text: string | undefined): string | undefined {
  const change = pending.find((each) => each.key === key)
  return change === undefined ? text : (textOf(change) ?? undefined)
}

export function textOf({ value }: Pending): string | null {
  return value === null ? null : asciiJson(value)
}
