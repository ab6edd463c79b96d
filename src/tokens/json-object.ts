import { endOfString } from '../runtime/json-text.js'

export type JsonObject = Readonly<Record<string, unknown>>

const maxDepth = 32
const quote = 0x22
const colon = 0x3a

/**
 * For JSON that two readers must not understand differently: a top-level object, of bounded depth, in which no
 * object names a member twice (RFC 8725 §2.4 is about exactly that). `undefined` for everything else.
 */
export function parseJsonObject(text: string): JsonObject | undefined {
  const members = countMembers(text)
  if (members === undefined) return undefined
  const value = parse(text)
  if (!isObject(value)) return undefined
  return countKeys(value) === members ? value : undefined
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Each member has one colon outside strings. `undefined` where the text is nested too deeply. */
function countMembers(text: string): number | undefined {
  let members = 0
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === quote) index = endOfString(text, index)
    else if (code === colon) members++
    // `[` is 0x5b, `{` 0x7b; `]` is 0x5d, `}` 0x7d.
    else if ((code | 0x20) === 0x7b && ++depth > maxDepth) return undefined
    else if ((code | 0x20) === 0x7d) depth--
  }
  return members
}

/** What is left after duplicates have been joined: fewer keys than members means that there were some. */
function countKeys(value: object): number {
  const members = Object.values(value)
  let keys = Array.isArray(value) ? 0 : members.length
  for (const member of members) {
    if (typeof member === 'object' && member !== null) keys += countKeys(member as object)
  }
  return keys
}
