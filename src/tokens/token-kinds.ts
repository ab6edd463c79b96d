/** Words by which servers name the kind of a token: Keycloak's `typ`, Cognito's and Hydra's `token_use`. */
const kindMembers = ['typ', 'token_use', 'token_type'] as const

/** Whether claims call themselves one of these kinds, which are in lower case. */
export function isOfKind(claims: Readonly<Record<string, unknown>>, kinds: ReadonlySet<string>): boolean {
  return kindMembers.some((member) => {
    const kind = claims[member]
    return typeof kind === 'string' && kinds.has(kind.toLowerCase())
  })
}
