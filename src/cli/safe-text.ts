import { replaceUnseen } from '../runtime/unseen.js'

/** For all that people registered: the text with every such character spelt out, on one line. */
export function printable(text: string): string {
  return replaceUnseen(text, (characters) =>
    Array.from(characters, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`).join(''),
  )
}

/** The same for JSON, which stays JSON of the same value. */
export function printableJson(value: unknown, indent?: number): string {
  // Line feeds outside of strings are ours: those inside are escaped already.
  return replaceUnseen(JSON.stringify(value, undefined, indent), (characters) =>
    Array.from(characters, (character) => (character === '\n' ? character : escapedUnits(character))).join(''),
  )
}

function escapedUnits(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  }).join('')
}
