import { z } from 'zod'
import { namesProxy } from '../http/trusted-proxies.js'

const trustedProxy = z
  .string()
  .refine(namesProxy, 'expected an address, a network such as 10.0.0.0/8, loopback, linklocal, uniquelocal or unix')

const proxies = "expected 'none', how many proxies there are, or a list of their addresses"

/** The options of `ProxyOptions`. */
export const proxyOptionsShape = {
  trustedProxies: z
    .union([z.literal('none'), z.int().min(1, proxies), z.array(trustedProxy).min(1, proxies)], { error: proxies })
    .optional(),
  forwardingHeader: z.enum(['x-forwarded-for', 'forwarded']).optional(),
}
