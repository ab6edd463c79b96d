/** A NumericDate of RFC 7519 §2. `1e400` in JSON is infinite, and an end that never comes. */
export function isTimeOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || Number.isFinite(value)
}

/** `aud` of RFC 7519 §4.1.3. */
export function isAudienceOrAbsent(value: unknown): value is string | readonly string[] | undefined {
  if (value === undefined || typeof value === 'string') return true
  return Array.isArray(value) && value.every((audience) => typeof audience === 'string')
}
