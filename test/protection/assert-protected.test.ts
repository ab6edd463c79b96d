import Router from '@koa/router'
import { memoryStore } from 'clientele'
import { assertProtected as assertExpress, clientele as forExpress } from 'clientele/express'
import { assertProtected as assertKoa, clientele as forKoa } from 'clientele/koa'
import express5 from 'express'
import express4 from 'express4'
import Koa3 from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { describe, expect, it } from 'vitest'
import { everywhere, leadsBy, type Step } from '../../src/protection/place.js'
import { openings, type Opening } from '../support/openings.js'

const store = memoryStore()
const tokens = {
  issuer: 'https://issuer.example',
  as: { clientId: 'api', clientSecret: 'x' },
  audience: 'orders',
} as const

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('assertProtected on %s', (name, express) => {
  const { enforceClientId, limitBySla, controlSpikes, anyOf, enforce, introspectToken } = forExpress({
    api: 'orders',
    store,
  })
  const guard = enforceClientId()
  const token = introspectToken(tokens)
  const handler: express5.RequestHandler = (_req, res) => {
    res.json({})
  }
  const passing: express5.RequestHandler = (_req, _res, next) => {
    next()
  }
  const made = (build: (app: express5.Express) => void): express5.Express => {
    const app = express()
    build(app)
    return app
  }
  const found = (build: (app: express5.Express) => void, open: readonly Opening[] = []) =>
    openings(assertExpress, made(build), open)

  it('passes where a guard stands before each handler, in every way there is', () => {
    expect(
      found((app) => {
        app.get('/one', guard, handler)
        app.post('/two', [guard, passing], handler)
        app.get(
          '/three',
          controlSpikes({ by: 'address', limit: { requests: 10, windowSeconds: 60 } }),
          anyOf(guard, token),
          limitBySla(),
          handler,
        )
        app.all('/four', guard)
        app.get('/four', handler)
        app.route('/five').all(guard).get(handler).delete(handler)
        app.use('/six', guard)
        app.get('/six/:id', handler)
        const router = express.Router()
        router.use(guard)
        router.get('/a', handler)
        router.use('/b', express.Router().get('/c', handler))
        app.use('/seven', router)
        app.use('/:tenant/eight', guard, express.Router().get('/', handler))
        app.use(['/nine', '/ten'], guard)
        app.get('/ten/x', handler)
        app.use(guard)
        app.get('/last', handler)
        app.use('/static', express.static('.'))
        app.use('/sub', express().get('/x', handler))
      }),
    ).toEqual([])
  })

  it('names what is reached before its guard: too late, beside it, or for another method', () => {
    expect(
      found((app) => {
        app.get('/none', handler)
        app.get('/after', handler, guard)
        app.get('/limited', limitBySla(), handler)
        app.get('/parsed', passing, guard, handler)
        app.post('/method', guard)
        app.put('/method', handler)
        app.all('/all', handler)
        app.get(['/x', '/y'], handler)
        app.get('/early', handler)
        app.use('/early', guard)
        app.use('/orders', guard)
        app.get('/orders2', handler)
        app.get('/:any', handler)
        app.get(/^\/ordersx?/, handler)
      }),
    ).toEqual([
      'GET /none',
      'GET /after',
      'GET /limited',
      'GET /parsed passing',
      'PUT /method',
      'ALL /all',
      'GET /x',
      'GET /y',
      'GET /early',
      'GET /orders2',
      'GET /:any',
      'GET /(/^\\/ordersx?/)',
    ])
  })

  it('names routes of routers by their whole path, each time they are mounted', () => {
    const inner = express.Router().get('/leaf', handler)
    const router = express.Router().use('/in', inner)
    expect(
      found((app) => {
        app.use('/guarded', guard, router)
        app.use('/open/:id', router)
        app.use(router)
      }),
    ).toEqual(['GET /open/:id/in/leaf', 'GET /in/leaf'])
  })

  it('names what cannot be looked into', () => {
    expect(
      found((app) => {
        app.use(passing)
        app.use('/files', express.static('.'))
        app.use('/admin', express().get('/x', guard, handler))
        app.use((req: express5.Request, res: express5.Response, next: express5.NextFunction) => {
          guard(req, res, next)
        })
        app.get('/', handler)
      }),
    ).toEqual(['USE / passing', 'USE /files serveStatic', 'USE /admin mounted_app', 'USE / <anonymous>', 'GET /'])
  })

  it('takes no name for two functions that have the same', () => {
    const build = (app: express5.Express): void => {
      app.use((_req: express5.Request, _res: express5.Response, next: express5.NextFunction) => {
        next()
      })
      app.get('/x', guard, handler)
      app.use((_req: express5.Request, res: express5.Response) => {
        res.json('for anybody')
      })
    }
    expect(found(build, ['USE / <anonymous>'])).toEqual([
      'assertProtected(): open names USE / <anonymous> (which there is more than once: give the functions in its place)',
    ])
  })

  it('looks at no error handler, and takes a policy of one’s own for no guard', () => {
    const own = enforce({ name: 'hours', decide: () => ({ kind: 'passed' }) })
    expect(
      found((app) => {
        app.use(own)
        app.get('/x', own, handler)
        app.use((_e: unknown, _q: express5.Request, _s: express5.Response, next: express5.NextFunction) => {
          next()
        })
      }),
    ).toEqual(['GET /x'])
  })

  it('lets by what is open on purpose, by its exact name or the function itself, and nothing more', () => {
    const build = (app: express5.Express): void => {
      app.use(passing)
      app.get('/health', handler)
      app.get('/healthy', handler)
    }
    expect(found(build, ['USE / passing', 'GET /health', 'GET /healthy'])).toEqual([])
    expect(found(build, [passing, 'GET /health'])).toEqual(['GET /healthy'])
    expect(found(build, ['USE / passing', 'get /health', 'GET /health/'])).toEqual(['GET /health', 'GET /healthy'])
  })

  it('says so when what is named as open is guarded, or not there', () => {
    const app = made((each) => each.get('/x', guard, handler))
    expect(() => {
      assertExpress(app, { open: ['GET /x', handler as never] })
    }).toThrow(/open names GET \/x, the function handler \(which is guarded, or not there\)/)
  })

  it('has no default, and takes no application without routes for a guarded one', () => {
    const options = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as Error
    const app = made((each) => each.get('/x', guard, handler))
    for (const wrong of [undefined, {}, { open: 'GET /x' }, { open: [], close: [] }]) {
      expect(() => {
        assertExpress(app, wrong as never)
      }).toThrow(options)
    }
    for (const nothing of [express(), {}, express.Router()]) {
      expect(() => {
        assertExpress(nothing, { open: [] })
      }, name).toThrow(options)
    }
  })
})

describe.each([
  ['Koa 3', Koa3],
  ['Koa 2', Koa2],
])('assertProtected on %s', (_name, Koa) => {
  const { enforceClientId, introspectToken, limitBySla, anyOf } = forKoa({ api: 'orders', store })
  const guard = enforceClientId()
  const token = introspectToken(tokens)
  const handler = (context: { body: unknown }): void => {
    context.body = {}
  }
  const passing = (_context: unknown, next: () => Promise<unknown>): Promise<unknown> => next()
  const found = (build: (app: Koa3, router: Router) => void, open: readonly Opening[] = []): string[] => {
    const [app, router] = [new Koa(), new Router()]
    build(app, router)
    return openings(assertKoa, app, open)
  }

  it('passes where a guard stands before each handler, in every way there is', () => {
    expect(
      found((app, router) => {
        router.get('/one', guard, limitBySla(), handler)
        router.all('/two', anyOf(guard, token), handler)
        router.use('/three', guard)
        router.get('/three/:id', handler)
        const nested = new Router({ prefix: '/four', sensitive: true }).use(guard).get('/x', handler).get('/', handler)
        router.use(nested.routes())
        const several = new Router({ prefix: '/:tenant' }).use(guard).get('/x', handler)
        router.use('/five', several.routes())
        app.use(router.routes())
        app.use(guard)
        app.use(router.allowedMethods())
        app.use(mount('/six', new Koa()))
        app.use(new Router().get('/seven', handler).routes())
      }),
    ).toEqual([])
  })

  it('names what is reached before its guard, and what cannot be looked into', () => {
    expect(
      found((app, router) => {
        app.use(passing)
        router.get('/none', handler)
        router.post('/after', handler, guard)
        router.all('/all', handler)
        router.get('/early', handler)
        router.use('/early', guard)
        router.get('/parsed', passing, guard, handler)
        app.use(router.routes())
        app.use(mount('/mounted', new Koa().use(guard)))
      }),
    ).toEqual([
      'USE / passing',
      'GET /none',
      'POST /after',
      'ALL /all',
      'GET /early',
      'GET /parsed passing',
      'USE / <anonymous>',
    ])
  })

  it('takes no guard in one router for one of another, which runs it for its own routes alone', () => {
    expect(
      found((app, router) => {
        app.use(router.use(guard).get('/own', handler).routes())
        app.use(new Router().get('/other', handler).routes())
      }),
    ).toEqual(['GET /other'])
  })

  it('lets by what is open on purpose', () => {
    const allowed = new Router().allowedMethods()
    const build = (app: Koa3, router: Router): void => {
      app.use(router.get('/health', handler).routes()).use(allowed)
    }
    expect(found(build, ['GET /health', allowed])).toEqual([])
    expect(found(build, [allowed])).toEqual(['GET /health'])
  })
})

describe('a place that leads by another', () => {
  const step = (path: string | undefined, more: Partial<Step> = {}): Step => ({
    ...everywhere,
    name: String(path),
    path,
    reach: 'below',
    ...more,
  })

  it.each([
    ['/a', '/a', true],
    ['/a', '/a/b', true],
    ['/a', '/a/', true],
    ['/a', '/ab', false],
    ['/a', '//a', false],
    ['/a/b', '/a', false],
    ['/a/', '/a', false],
    ['/a/', '/a/b', false],
    ['//a', '/a', false],
    ['a', '/a', false],
    ['/', '/a', false],
    ['/:x', '/a', true],
    ['/:x', '/:y/b', true],
    ['/:x', '/', false],
    ['/a', '/:y', false],
    ['/:x', '/:y?', false],
    ['/a', '/a/:y?', true],
    ['/a', '/a/?b', false],
    ['/:x(\\d+)', '/1', false],
    ['/{*rest}', '/', true],
    ['/{*rest}', '/a/b', true],
    ['/*rest', '/a', true],
    ['/*rest', '/', false],
    ['/a/{*rest}', '/a', false],
    ['/a/{*rest}', '/a/', true],
    ['/a/{*rest}', '/a/b', true],
    ['/a/*', '/b', false],
    ['/a', '/a{/:b}', false],
    ['/a{/:b}', '/a{/:b}', true],
  ])('%s, for %s: %s', (mounted, route, leads) => {
    expect(leadsBy([step(mounted)], [step(route, { reach: 'itself' })])).toBe(leads)
  })

  it('takes no capital for a small letter where the framework does not, and no place for what is below it', () => {
    const [loose, exact] = [step('/a'), step('/a', { sensitive: true })]
    expect([leadsBy([loose], [exact]), leadsBy([exact], [exact]), leadsBy([exact], [loose])]).toEqual([
      true,
      true,
      false,
    ])
    const [itself, strict] = [step('/a', { reach: 'itself' }), step('/a', { reach: 'itself', strict: true })]
    expect([leadsBy([itself], [strict]), leadsBy([strict], [itself]), leadsBy([itself], [loose])]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('is equal to nothing but itself where it is no text', () => {
    const [one, other] = [step(undefined), step(undefined)]
    expect(leadsBy([one], [one, step('/deep')])).toBe(true)
    expect(leadsBy([other], [one])).toBe(false)
  })
})
