import type { ServerResponse } from 'node:http'

/** Also for a response that is closed already: its caller may hang up while a policy decides. */
export function onClose(response: ServerResponse, closed: () => void): void {
  if (response.closed) closed()
  else response.once('close', closed)
}
