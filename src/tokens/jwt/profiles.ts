export type JwtProfile = 'usual' | 'rfc9068'

interface Profile {
  /** Values of `typ` in its long form. Other JWTs have a word of their own, and are none of ours. */
  readonly types: ReadonlySet<string | undefined>
  readonly requiredClaims: readonly string[]
}

/**
 * How strictly a JWT has to be an access token. `usual` is what most issuers make; there has to be an end, which a
 * JWT may do without. `rfc9068` is §2.1, §2.2 and §4 of that RFC.
 */
export const profiles: Readonly<Record<JwtProfile, Profile>> = {
  usual: { types: new Set([undefined, 'application/jwt', 'application/at+jwt']), requiredClaims: ['exp'] },
  rfc9068: {
    types: new Set(['application/at+jwt']),
    requiredClaims: ['exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
  },
}
