const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as text, such that encoding it gives these very bytes again; `undefined` where they are not UTF-8. */
export function textOf(content: string | Uint8Array): string | undefined {
  if (typeof content === 'string') return content
  try {
    return utf8.decode(content)
  } catch {
    return undefined
  }
}
