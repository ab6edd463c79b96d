/**
 * For answers that are often at hand and sometimes have to be fetched. A value that is at hand is
 * handed over as it is, so that a warm request waits on nothing.
 */
export type MaybePromise<T> = T | Promise<T>

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** Goes on with a value now if it is here, later if it is not. */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value)
}

/**
 * The same where `next` has to know something besides the value. On the road of every request it spares the
 * closure, which would cost more than the step.
 */
export function andThenWith<T, U, Context>(
  value: MaybePromise<T>,
  next: (value: T, context: Context) => MaybePromise<U>,
  context: Context,
): MaybePromise<U> {
  return isPromise(value) ? later(value, next, context) : next(value, context)
}

/** On its own, because a function with a closure in it pays for it even where it is not made. */
function later<T, U, Context>(
  value: Promise<T>,
  next: (value: T, context: Context) => MaybePromise<U>,
  context: Context,
): Promise<U> {
  return value.then((here) => next(here, context))
}

/** What comes of each of them: at once where each is at hand. A throw leaves no promise behind that nobody awaits. */
export function allOf<S, T>(items: readonly S[], each: (item: S) => MaybePromise<T>): MaybePromise<readonly T[]> {
  const values: MaybePromise<T>[] = []
  try {
    for (const item of items) values.push(each(item))
  } catch (error) {
    for (const value of values) if (isPromise(value)) value.catch(() => undefined)
    throw error
  }
  return values.some(isPromise) ? Promise.all(values.map(async (value) => value)) : (values as readonly T[])
}
