import type { z } from 'zod'

/** Holds a strict schema to a hand-written type: a member that either side lacks does not compile. */
export type Shape<T> = { [K in keyof Required<T>]: z.ZodType<T[K]> }
