import { brotliDecompress, gunzip, inflate, type InputType, type ZlibOptions } from 'node:zlib'
import type { MaybePromise } from '../decisions/maybe-promise.js'

export type Unpacked = Buffer | 'too_large' | 'unreadable'

type Decoder = (
  bytes: InputType,
  options: Pick<ZlibOptions, 'maxOutputLength'>,
  done: (error: NodeJS.ErrnoException | null, unpacked: Buffer) => void,
) => void

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', gunzip],
  // RFC 9110 §8.4.1.3
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', brotliDecompress],
])

/** Each layer costs its whole output again. */
const maxLayers = 3

/** The codings of all `Content-Encoding` fields, in the order in which they were put on. */
export function codingsOf(contentEncodings: readonly string[]): readonly string[] {
  const names = contentEncodings.flatMap((value) => value.split(',')).map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}

/** Takes all codings off, the last one first. Stops as soon as there is more than `maxBytes`. */
export function unpack(bytes: Buffer, codings: readonly string[], maxBytes: number): MaybePromise<Unpacked> {
  const outermost = codings.at(-1)
  if (outermost === undefined) return bytes
  const decoder = decoders.get(outermost)
  if (decoder === undefined || codings.length > maxLayers) return 'unreadable'
  return takeOff(decoder, bytes, maxBytes).then((inner) =>
    typeof inner === 'string' ? inner : unpack(inner, codings.slice(0, -1), maxBytes),
  )
}

function takeOff(decoder: Decoder, bytes: Buffer, maxOutputLength: number): Promise<Unpacked> {
  return new Promise((resolve) => {
    decoder(bytes, { maxOutputLength }, (error, unpacked) => {
      if (error === null) resolve(unpacked)
      else resolve(error.code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'unreadable')
    })
  })
}
