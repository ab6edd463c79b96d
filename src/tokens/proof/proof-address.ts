/** Visible ASCII without what readers of addresses turn into something else: backslashes, and names of users. */
const plainAddress = /^https?:\/\/[^\s\\@]+$/i
const absoluteForm = /^https?:\/\/[^/?#]*/i
const pathOf = /^[^?#]*/
/** `.` and `..`, escaped or not. */
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i
const escapedByte = /%[0-9a-f]{2}/gi
const unreserved = /^[\w.~-]$/

/** An address without query and fragment, in the one form of all that mean the same (RFC 3986 §6.2.2 and §6.2.3). */
export function normalAddress(address: string): string | undefined {
  if (!plainAddress.test(address) || !isAscii(address) || !URL.canParse(address)) return undefined
  const { origin, pathname } = new URL(address.replace(escapedByte, normalByte))
  return origin + pathname
}

/**
 * The address that a request was sent to, as its caller wrote it. Whatever host a request names is not looked at:
 * `publicUrl` says where we are. `target` stands as it came on the request line. `undefined` where it has segments of
 * dots: routers take them for names, and whoever reads an address removes them. A proof for one would open another.
 */
export function requestAddress(publicUrl: string, target: string): string | undefined {
  const [path = ''] = pathOf.exec(target.replace(absoluteForm, '')) ?? []
  // Joined as text: resolved against an address, `//other.example` would be another one.
  if ((path !== '' && !path.startsWith('/')) || dotSegment.test(path)) return undefined
  return normalAddress(publicUrl + path)
}

function normalByte(escaped: string): string {
  const character = String.fromCharCode(parseInt(escaped.slice(1), 16))
  return unreserved.test(character) ? character : escaped.toUpperCase()
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}
