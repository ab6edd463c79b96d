/**
 * For answers that are often at hand and sometimes have to be fetched. A value that is at hand is
 * handed over as it is, so that a warm request waits on nothing.
 */
export type MaybePromise<T> = T | Promise<T>

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/**
 * Goes on with a value now if it is here, later if it is not. What `next` has to know besides the value can be
 * handed over with it: on the road of every request that spares the closure, which costs more than the step.
 */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U>
export function andThen<T, U, A, B = undefined, C = undefined>(
  value: MaybePromise<T>,
  next: (value: T, a: A, b: B, c: C) => MaybePromise<U>,
  a: A,
  b?: B,
  c?: C,
): MaybePromise<U>
export function andThen<T, U, A, B, C>(
  value: MaybePromise<T>,
  next: (value: T, a: A, b: B, c: C) => MaybePromise<U>,
  a?: A,
  b?: B,
  c?: C,
): MaybePromise<U> {
  return isPromise(value) ? later(value, next, a as A, b as B, c as C) : next(value, a as A, b as B, c as C)
}

/** On its own, because a function with a closure in it pays for it even where it is not made. */
function later<T, U, A, B, C>(
  value: Promise<T>,
  next: (value: T, a: A, b: B, c: C) => MaybePromise<U>,
  a: A,
  b: B,
  c: C,
): Promise<U> {
  return value.then((here) => next(here, a, b, c))
}

/** All of them: at once where each is at hand. */
export function allOf<T>(values: readonly MaybePromise<T>[]): MaybePromise<readonly T[]> {
  return values.some(isPromise) ? Promise.all(values.map(async (value) => value)) : (values as readonly T[])
}
