import { replaceUnseen } from '../runtime/unseen.js'

/** Lines of nothing but what is seen. */
export function severalLines(text: string): string {
  return text
    .split(/\r\n|[\n\r]/)
    .map((line) => replaceUnseen(line.replaceAll('\t', '  '), () => ' ').trimEnd())
    .join('\n')
}

/**
 * For what strangers called themselves, in a plain text: mail programs make links of whatever looks like one, and a
 * client called `https://evil.example/log-in` would lead there under our name.
 */
export function unlinked(text: string): string {
  return text
    .replace(/:(?=\/\/)/g, '[:]')
    .replaceAll('@', '[at]')
    .replace(/(?<=[\p{L}\p{N}])\.(?=[\p{L}\p{N}])/gu, '[.]')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text that is HTML already, and is not escaped once more. Made by `html`. */
export class SafeHtml {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text
  }
}

export type HtmlValue = string | number | SafeHtml | undefined | readonly HtmlValue[]

/**
 * For templates: HTML in which each value is escaped, unless it was made by `html` itself. For texts and quoted
 * attributes; not for addresses of links, scripts or styles, where escaping is not enough.
 *
 * @example html`<p>Hello ${name}</p>`
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  return new SafeHtml(strings.map((string, at) => (at === 0 ? '' : escaped(values[at - 1])) + string).join(''))
}

function escaped(value: HtmlValue): string {
  if (value instanceof SafeHtml) return value.toString()
  if (typeof value === 'object') return value.map(escaped).join('')
  return String(value ?? '').replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
