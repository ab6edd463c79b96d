import { z } from 'zod'

/** RFC 9110 §5.1. A name from options goes into `Vary` as it stands. */
export const fieldName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected the name of a header field')
