import type { IncomingMessage } from 'node:http'
import type { BodyPath } from '../decisions/http-request.js'
import { bodyFormats } from '../http/body-formats.js'
import type { CapturedRequest } from '../http/capture.js'
import { keptNames, keptOn, type CapturedBody } from '../http/captured-body.js'
import type { BodyFormat } from '../http/media-type.js'
import { copyAlong, removeParsed } from '../http/parsed-body.js'
import { dropBody, isTaken, replaceBody } from '../http/request-stream.js'
import { textOf } from '../http/utf8.js'
import { setHeader, stripHeaders } from './strip.js'

type Format = CapturedBody['format']
type KeptName = (typeof keptNames)[number]

/**
 * Takes values out of a body, where it waits in its stream and where a parser has left it. Bytes or text out of which
 * nothing can be taken, since they are broken, packed or called two things, go as a whole.
 */
export function stripBody({ raw, capturedBody }: CapturedRequest, paths: readonly BodyPath[]): void {
  const { format, holders } = capturedBody
  if (!isTaken(raw)) stripStream(raw, capturedBody, format, paths)
  for (const path of paths) capturedBody.keep(path)
  for (const holder of holders) {
    for (const name of keptNames) stripKept(holder, name, format, paths)
  }
}

function stripStream(raw: IncomingMessage, body: CapturedBody, format: Format, paths: readonly BodyPath[]): void {
  if (body.kind === 'unreadable') {
    dropBody(raw)
    nameLength(raw, 0)
  }
  if (body.shown === undefined || !isOurs(format)) return
  const text = without(format, body.shown, paths)
  if (text === body.shown) return
  const bytes = Buffer.from(text)
  replaceBody(raw, bytes)
  body.shown = text
  nameLength(raw, bytes.length)
}

/** The handler gets it unpacked: to pack it again would be work for nobody, since it comes over no wire any more. */
function nameLength(raw: IncomingMessage, bytes: number): void {
  stripHeaders(raw, ['content-encoding'])
  setHeader(raw, 'content-length', String(bytes))
}

function stripKept(holder: object, name: KeptName, format: Format, paths: readonly BodyPath[]): void {
  const kept = keptOn(holder, name)
  if (typeof kept !== 'string' && !(kept instanceof Uint8Array)) {
    for (const path of paths) stripMember(holder, name, path)
    return
  }
  if (format === 'other') return
  const text = textOf(kept)
  const isReadable = text !== undefined && isOurs(format) && bodyFormats[format].isValid(text)
  const stripped = isReadable ? without(format, text, paths) : undefined
  put(holder, name, typeof kept === 'string' || stripped === undefined ? stripped : Buffer.from(stripped))
}

/** Whoever has parsed it has named the members, whatever its type is. */
function stripMember(holder: object, name: KeptName, path: BodyPath): void {
  const kept = keptOn(holder, name)
  if (removeParsed(kept, path)) return
  // Frozen: a copy without it.
  const copy = copyAlong(kept, path)
  removeParsed(copy, path)
  put(holder, name, copy)
}

/** Throws rather than hand on a secret. */
function put(holder: object, name: KeptName, value: unknown): void {
  if (Reflect.set(holder, name, value)) return
  throw new TypeError(`A secret cannot be taken out of "${name}": it can be neither changed nor replaced.`)
}

function isOurs(format: Format): format is BodyFormat {
  return format === 'json' || format === 'form'
}

function without(format: BodyFormat, text: string, paths: readonly BodyPath[]): string {
  return paths.reduce((rest, path) => bodyFormats[format].without(rest, path), text)
}
