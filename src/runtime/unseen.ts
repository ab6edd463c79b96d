/**
 * What a terminal could take for an order, or show in another order than it stands there: control characters (and so
 * all of ANSI and OSC), format characters (and so all of bidi), separators of lines, halves of characters.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu

/** For texts of others, before people see them. `shown` is given what stands together of such characters. */
export function replaceUnseen(text: string, shown: (characters: string) => string): string {
  return text.replace(unseen, shown)
}

/** For names, subjects and messages: one line, of nothing but what is seen. What was taken out leaves a space. */
export function oneLine(text: string, longest = 255): string {
  const line = replaceUnseen(text, () => ' ').trim()
  return Array.from(line).slice(0, longest).join('')
}
