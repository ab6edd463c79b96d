import { z } from 'zod'
import { checkOptions } from '../runtime/check.js'
import type { IntrospectTokenOptions } from './introspection-options.js'
import type { ValidateJwtOfIssuersOptions, ValidateJwtOptions } from './validate-jwt.js'

/** Both kinds of token of one route, told apart by their shape. */
export interface AnyTokenOptions {
  /** For tokens in the shape of a JWT: options of `validateJwt()`. */
  readonly jwt: ValidateJwtOptions | ValidateJwtOfIssuersOptions
  /** For all others: options of `introspectToken()`. */
  readonly opaque: Omit<IntrospectTokenOptions, 'tokens'>
}

const isObject = <T>() =>
  z.custom<T>((value) => typeof value === 'object' && value !== null, { message: 'expected options' })
const optionsSchema = z.strictObject({
  jwt: isObject<AnyTokenOptions['jwt']>(),
  opaque: isObject<AnyTokenOptions['opaque']>(),
})

/** What is in them is checked by the policies that they are for. */
export function anyTokenOptions(options: AnyTokenOptions): {
  readonly jwt: AnyTokenOptions['jwt']
  readonly opaque: IntrospectTokenOptions
} {
  const { jwt, opaque } = checkOptions('anyToken()', optionsSchema, options)
  return { jwt, opaque: { ...opaque, tokens: 'opaque' } }
}
