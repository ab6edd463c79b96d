import type { Framework } from './frameworks.js'

export interface Answering {
  /** What the adapter calls a request: `req` on Express, `ctx` on Koa. */
  readonly request: object
  /** Settles when the caller is gone. */
  readonly gone: Promise<void>
}

export interface Answered {
  readonly status: number
  readonly body?: string
}

type Act = (answering: Answering) => Promise<Answered>

interface NodeResponse {
  statusCode: number
  once(event: 'close', listener: () => void): unknown
  end(body?: string): unknown
}

/** A last handler that answers as it is told to, when it is told to. */
export function answering({ name }: Framework, act: Act): object {
  const goneOf = (response: NodeResponse): Promise<void> => new Promise((resolve) => response.once('close', resolve))
  if (name.startsWith('Koa')) {
    return async (context: { res: NodeResponse; status: number; body: string }): Promise<void> => {
      const { status, body = '' } = await act({ request: context, gone: goneOf(context.res) })
      context.status = status
      context.body = body
    }
  }
  return (request: object, response: NodeResponse, next: (error: unknown) => void): void => {
    act({ request, gone: goneOf(response) }).then(({ status, body }) => {
      response.statusCode = status
      response.end(body)
    }, next)
  }
}
