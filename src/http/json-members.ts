import type { BodyPath } from '../decisions/http-request.js'
import { endOfString } from '../runtime/json-text.js'

interface Member {
  /** Where its name begins, where its value does, and where that ends. */
  readonly start: number
  readonly value: number
  readonly end: number
}

const byteOrderMark = '\ufeff'
const quote = 0x22
const comma = 0x2c

/** Whether `JSON.parse` takes it, which is what parsers ask. They strip a byte order mark. All below takes that for granted. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text.startsWith(byteOrderMark) ? text.slice(1) : text)
    return true
  } catch {
    return false
  }
}

/** The text at a path: none, one, or `undefined` where it is anything else. See `BodyContent`. */
export function jsonTextAt(text: string, path: BodyPath): readonly string[] | undefined {
  const { members, single } = follow(text, path)
  if (!single || members.some(({ value }) => text[value] !== '"')) return undefined
  return members.map(({ value, end }) => stringOf(text.slice(value, end)))
}

/** Without what stands at a path. Only that member goes, with one comma; every other byte stays. */
export function withoutJsonMember(text: string, path: BodyPath): string {
  const { members } = follow(text, path)
  const kept: string[] = []
  // From the last one on, and put together once: a caller may write a hundred thousand of them.
  let next = text.length
  for (const member of [...members].reverse()) {
    const { from, to } = stretchOf(text, member, next)
    kept.push(text.slice(to, next))
    next = from
  }
  kept.push(text.slice(0, next))
  return kept.reverse().join('')
}

function follow(text: string, path: BodyPath): { members: readonly Member[]; single: boolean } {
  const top = skipSpace(text, text.startsWith(byteOrderMark) ? 1 : 0)
  // A list, or a bare value, has no members.
  if (text[top] !== '{') return { members: [], single: true }
  let members: readonly Member[] = [{ start: top, value: top, end: text.length }]
  let single = true
  for (const name of path) {
    const objects = members.filter(({ value }) => text[value] === '{')
    single &&= objects.length === members.length
    members = objects.flatMap(({ value }) => membersNamed(text, value, name))
    single &&= members.length < 2
  }
  return { members, single }
}

/** All members of one object that have a name, however that is escaped. Goes through nested values without recursion. */
function membersNamed(text: string, object: number, name: string): Member[] {
  const found: Member[] = []
  let start = skipSpace(text, object + 1)
  while (text[start] === '"') {
    const endOfName = endOfString(text, start) + 1
    const value = skipSpace(text, skipSpace(text, endOfName) + 1)
    const end = endOfValue(text, value)
    if (stringOf(text.slice(start, endOfName)) === name) found.push({ start, value, end })
    const next = skipSpace(text, end)
    if (text[next] !== ',') break
    start = skipSpace(text, next + 1)
  }
  return found
}

function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === quote) index = endOfString(text, index)
    // `[` is 0x5b, `{` 0x7b; `]` is 0x5d, `}` 0x7d.
    else if ((code | 0x20) === 0x7b) depth += 1
    else if ((code | 0x20) === 0x7d) depth -= 1
    else if (depth > 0 || !(code === comma || isSpace(code))) continue
    else return index
    if (depth === 0) return index + 1
    if (depth < 0) return index
  }
  return text.length
}

function skipSpace(text: string, start: number): number {
  let index = start
  while (isSpace(text.charCodeAt(index))) index += 1
  return index
}

/** RFC 8259 §2 */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function stringOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
}

/** What goes with a member: the comma behind it, or where that is gone (at `next`) or never was, the one before it. */
function stretchOf(text: string, { start, end }: Member, next: number): { from: number; to: number } {
  const after = skipSpace(text, end)
  if (text[after] === ',' && after !== next) return { from: start, to: after + 1 }
  let before = start - 1
  while (isSpace(text.charCodeAt(before))) before -= 1
  return { from: text[before] === ',' ? before : start, to: end }
}
