import { z } from 'zod'

/** What whoever keeps something on a Redis is told alike. */
export const redisOptions = {
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,100}$/, 'expected 1 to 100 of A-Z a-z 0-9 . _ : -')
    .default('clientele'),
}
