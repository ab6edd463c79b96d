import Router from '@koa/router'
import { memoryStore } from 'clientele'
import { assertProtected as assertExpress, clientele as forExpress } from 'clientele/express'
import { assertProtected as assertKoa, clientele as forKoa } from 'clientele/koa'
import express5 from 'express'
import express4 from 'express4'
import { METHODS, type RequestListener } from 'node:http'
import Koa3 from 'koa'
import Koa2 from 'koa2'
import { describe, expect, it } from 'vitest'
import { listen, listenerOf } from '../support/frameworks.js'
import { openings } from '../support/openings.js'

/** What is asked for, by somebody whom nobody knows, one after the other. */
async function statuses(listener: RequestListener, paths: readonly string[]): Promise<number[]> {
  const { url, close } = await listen(listener)
  const found: number[] = []
  for (const path of paths) {
    const method = path.startsWith('/') ? 'GET' : 'HEAD'
    found.push((await fetch(url + path.replace(/^HEAD /, ''), { method })).status)
  }
  await close()
  return found
}

/** What is answered to strangers, and what is said of it at start-up. */
interface Leak {
  readonly asked: readonly string[]
  readonly named: readonly string[]
}

describe.each([
  ['Express 5', express5, 5],
  ['Express 4', express4, 4],
])('what %s answers to strangers, assertProtected names', (_name, express, version) => {
  const guard = forExpress({ api: 'orders', store: memoryStore() }).enforceClientId()
  const limit = forExpress({ api: 'orders', store: memoryStore() }).enforce({
    name: 'x',
    decide: () => ({ kind: 'passed' }),
  })
  const h: express5.RequestHandler = (_req, res) => {
    res.json({})
  }
  const leaving = (to: 'route' | 'router'): express5.RequestHandler => {
    return function maybe(_req, _res, next) {
      next(to)
    }
  }
  type Build = (app: express5.Express) => unknown
  const cases: [string, Build, Leak & { open?: string[]; only?: number }][] = [
    ['two slashes', (app) => app.use('//api', guard).get('/api/x', h), { asked: ['/api/x'], named: ['GET /api/x'] }],
    ['no slash', (app) => app.use('api', guard).get('/api/x', h), { asked: ['/api/x'], named: ['GET /api/x'] }],
    [
      'capitals, where the guard alone is sensitive',
      (app) => app.set('case sensitive routing', true).use('/api', guard).use(express.Router().get('/api/x', h)),
      { asked: ['/API/x'], named: ['GET /api/x'] },
    ],
    [
      'a strict router',
      (app) => app.set('strict routing', true).get('/x/', guard, h).get('/x', h),
      { asked: ['/x'], named: ['GET /x'] },
    ],
    [
      'the bare parent of a wildcard',
      (app) => app.use('/a/{*rest}', guard).get('/a', h),
      { asked: ['/a'], named: ['GET /a'], only: 5 },
    ],
    [
      'a regular expression in two places',
      (app) => app.use(/\/api/, guard).get(/\/api/, h),
      { asked: ['/x/api', '/apifoo'], named: ['GET /(/\\/api/)'] },
    ],
    [
      'a regular expression that remembers',
      (app) => app.get(/^\/x$/g, guard).get(/^\/x$/g, h),
      { asked: ['/x', '/x'], named: ['GET /(/^\\/x$/g)'] },
    ],
    [
      'a route that is left before its guard',
      (app) => app.get('/x', leaving('route'), guard, h).get('/x', h),
      { asked: ['/x'], named: ['GET /x'], open: ['GET /x maybe'] },
    ],
    [
      'a router that is left before its guard',
      (app) => app.use(express.Router().use(leaving('router'), guard)).get('/x', h),
      { asked: ['/x'], named: ['GET /x'], open: ['USE / maybe'] },
    ],
    [
      'a route with a HEAD of its own, and GET alone guarded',
      (app) => [app.route('/y').get(guard).head(limit), app.get('/y', h)],
      { asked: ['HEAD /y'], named: ['GET /y'] },
    ],
    [
      'every method but GET',
      (app) => {
        const route = app.route('/x') as unknown as Record<string, (...given: unknown[]) => void>
        for (const method of METHODS) if (method !== 'GET') route[method.toLowerCase()]?.(guard, h)
        app.get('/x', h)
      },
      { asked: ['/x'], named: ['GET /x'] },
    ],
    [
      'the root in a list',
      (app) => app.use(['/', '/b'], guard).get('/x', h),
      { asked: ['/x'], named: ['GET /x'], only: 5 },
    ],
    [
      'a list with a regular expression in it',
      (app) => app.use([/pi/, '/api'], guard).get('/api/x', h),
      { asked: ['/api/x'], named: ['GET /api/x'], only: 5 },
    ],
    [
      'slashes between a mount and what is in it',
      (app) => app.use('/api/x', guard).use('/api', express.Router().get('/x', h)),
      { asked: ['/api//x'], named: ['GET /api/x'], only: 4 },
    ],
    [
      'a route in front of a router',
      (app) => app.all('/api', guard).use('/api', express.Router().get('/', h)),
      { asked: ['/api//'], named: ['GET /api/'] },
    ],
    [
      'a function with the name of one that Express 4 adds itself',
      (app) => {
        app.use(function query(_req: express5.Request, res: express5.Response) {
          res.json({})
        })
        app.get('/x', guard, h)
      },
      { asked: ['/x'], named: ['USE / query'], only: 5 },
    ],
  ]

  it.each(cases.filter(([, , { only = version }]) => only === version))('%s', async (_case, build, leak) => {
    const app = express()
    build(app)
    const found = await statuses(app, leak.asked)
    expect(found.at(-1)).toBe(200)
    expect(openings(assertExpress, app, leak.open)).toEqual(leak.named)
  })
})

describe.each([
  ['Koa 3', Koa3],
  ['Koa 2', Koa2],
])('what %s answers to strangers, assertProtected names', (_name, Koa) => {
  const guard = forKoa({ api: 'orders', store: memoryStore() }).enforceClientId()
  const h = (context: { body: unknown }): void => {
    context.body = {}
  }
  const [x, api] = [['GET /x'], ['GET /api/x']]
  const nested = (): ReturnType<Router['routes']> => new Router().use('/', guard).get('/x', h).routes()
  const cases: [string, () => Router, readonly string[], readonly string[]][] = [
    ['the root', () => new Router().use('/', guard).get('/x', h), ['/x'], x],
    ['the root of a prefix', () => new Router({ prefix: '/p' }).use('/', guard).get('/x', h), ['/p/x'], ['GET /p/x']],
    ['the root of a router in another', () => new Router().use('/q', nested()), ['/q/x'], ['GET /q/x']],
    ['a slash at the end', () => new Router().use('/api/', guard).get('/api/x', h), ['/api/x'], api],
    ['a slash at the end, and none', () => new Router().use('/api/', guard).get('/api', h), ['/api'], ['GET /api']],
    ['no slash', () => new Router().use('api', guard).get('/api/x', h), ['/api/x'], api],
    ['two slashes', () => new Router().use('//api', guard).get('/api/x', h), ['/api/x'], api],
    ['an exclusive router', () => new Router({ exclusive: true }).use(guard).get('/x', h), ['/x'], x],
    [
      'no route',
      () =>
        new Router()
          .use(guard)
          .get('/x', h)
          .on('not-found', h as never),
      ['/no'],
      ['USE / h'],
    ],
    [
      'capitals, where the guard alone is sensitive',
      () => new Router({ sensitive: true }).use('/api', guard).use(new Router().get('/api/x', h).routes()),
      ['/API/x'],
      api,
    ],
    ['capitals in a prefix', () => new Router({ prefix: '/p' }).use(guard).get('/x', h), ['/P/x'], ['GET /p/x']],
    [
      'capitals in a mount',
      () => new Router().use('/p', new Router().use(guard).get('/x', h).routes()),
      ['/P/x'],
      ['GET /p/x'],
    ],
    ['a strict router', () => new Router({ strict: true }).get('/x/', guard, h).get('/x', h), ['/x'], x],
    ['the bare parent of a wildcard', () => new Router().use('/a/{*rest}', guard).get('/a', h), ['/a'], ['GET /a']],
    [
      'every method but GET',
      () => {
        const router = new Router()
        router.register(
          '/x',
          METHODS.filter((method) => method !== 'GET' && method !== 'HEAD'),
          [guard, h],
        )
        return router.get('/x', h)
      },
      ['/x'],
      x,
    ],
  ]

  it.each(cases)('%s', async (_case, build, asked, named) => {
    const app = new Koa()
    app.use(build().routes())
    const found = await statuses(listenerOf(app), asked)
    expect(found.at(-1)).toBe(200)
    expect(openings(assertKoa, app)).toEqual(named)
  })

  it('and takes for guarded what stands behind a guard for all that is asked for', async () => {
    const prefixed = new Router({ prefix: '/p' }).use('', guard).get('/x', h).get('/', h)
    const sensitive = new Router({ prefix: '/s', sensitive: true }).use(guard).get('/x', h)
    const unmatched = new Router()
      .use(guard)
      .get('/y', h)
      .on('not-found', guard as never)
      .on('not-found', h as never)
    const app = new Koa()
    for (const router of [prefixed, sensitive, unmatched]) app.use(router.routes())
    const paths = ['/p', '/p/x', '/P/x', '/s/x', '/S/x', '/y', '/no']
    expect(await statuses(listenerOf(app), paths)).toEqual(paths.map(() => 401))
    assertKoa(app, { open: [] })
  })
})
