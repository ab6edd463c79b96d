const nonAscii = /[\x80-\xff]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as text: UTF-8 where they are that, else latin1. So a non-ASCII secret is one secret in every place. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return Buffer.from(bytes).toString('latin1')
  }
}

/** A field value as its sender meant it: Node hands bytes over as latin1. */
export function textOfField(value: string): string {
  return nonAscii.test(value) ? textOfBytes(Buffer.from(value, 'latin1')) : value
}

/** `application/x-www-form-urlencoded` decoding of one value; `undefined` where it is not that. */
export function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
