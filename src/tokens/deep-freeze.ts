/** For values that came out of JSON: no cycles, plain objects and arrays only, and a bounded depth. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) {
    if (typeof member === 'object') deepFreeze(member)
  }
  return Object.freeze(value)
}
