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

export function isPrintable(text: string): boolean {
  const plain = text.replace(lineFeedOrTab, '')
  return replaceUnseen(plain, () => '') === plain
}

const lineFeedOrTab = /[\n\t]/g

/** The same for YAML, which stays YAML of the same value where all texts that are not printable are in double quotes. */
export function printableYaml(text: string): string {
  return replaceUnseen(text.replaceAll('\r\n', '\n'), (characters) => Array.from(characters, yamlCharacter).join(''))
}

function yamlCharacter(character: string): string {
  if (character === '\n' || character === '\t') return character
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`
}
