import type { AnyRecord, CheckedChange } from '../check-changes.js'
import { writtenKeys } from '../check-changes.js'
import { hintText } from '../server/hint-text.js'
import type { RedisKeys } from './keys.js'

/** The keys of the commit script, and its parameters after those of time. `texts`: what stands there. */
export function commitCall(
  names: RedisKeys,
  mark: string,
  changes: readonly CheckedChange[],
  texts: readonly (string | undefined)[],
): { readonly keys: readonly string[]; readonly parameters: readonly string[] } {
  const keys = [mark, names.epoch, ...changes.map(({ storeKey }) => names.record(storeKey))]
  const places = new Map<string, number>()
  const placeOf = (index: string): string => {
    const place = places.get(index) ?? keys.push(index)
    places.set(index, place)
    return String(place)
  }
  const moves = changes.flatMap((change, at) =>
    indexMoves(names, change, texts[at]).flatMap(([index, sign]) => [placeOf(index), sign, change.storeKey]),
  )
  const parameters = [
    names.channel,
    hintText(writtenKeys(changes)),
    String(changes.length),
    ...texts.slice(0, changes.length).map((text) => (text === undefined ? '' : `=${text}`)),
    ...changes.map(({ value }) => (value === undefined ? '.' : value === null ? '-' : `=${JSON.stringify(value)}`)),
    ...moves,
  ]
  return { keys, parameters }
}

/** From which index the record goes, and into which it comes. */
function indexMoves(
  names: RedisKeys,
  { target: { kind }, value }: CheckedChange,
  text: string | undefined,
): (readonly [index: string, sign: '+' | '-'])[] {
  if (value === undefined) return []
  const before = names.indexesOf(kind, text === undefined ? undefined : (JSON.parse(text) as AnyRecord))
  const after = names.indexesOf(kind, value)
  return [
    ...after.filter((index) => !before.includes(index)).map((index) => [index, '+'] as const),
    ...before.filter((index) => !after.includes(index)).map((index) => [index, '-'] as const),
  ]
}
