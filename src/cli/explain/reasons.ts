/** What the words stand for by which refusals tell the operator why. The wire tells none of it. */
export const reasonTexts: Readonly<Record<string, string>> = {
  secret_mistyped: 'the secret has the form of a generated one and a wrong checksum: it was mistyped or cut',
  client_unknown: 'nobody is registered with this client ID',
  secret_missing: 'the client has sent its ID without a secret',
  secret_wrong: 'the secret is none of those that the client has now',
  client_disabled: 'the client is disabled',
  contract_missing: 'the client gave its ID alone, and has no contract',
  contract_pending: 'the client gave its ID alone, and its contract awaits approval',
  contract_rejected: 'the client gave its ID alone, and its contract was rejected',
  contract_revoked: 'the client gave its ID alone, and its contract was revoked',
  malformed: 'it is no JWT: three parts in base64url, JSON without a member twice, no crit and no b64',
  format: 'it is a JWT, and only opaque tokens are taken',
  algorithm: 'its alg is not among the algorithms of the route',
  type: 'it is another kind of token, or its typ is not the one that the profile asks for',
  issuer: 'its iss is none of the issuers of the route',
  key: 'it is signed with a key that the issuer does not publish, or that is not used',
  signature: 'its signature is not of the key that it names',
  expired: 'its exp is past',
  not_yet: 'its nbf, or iat, is to come',
  age: 'its iat is longer ago than maxTokenAgeSeconds',
  audience: 'its aud does not hold the audience of the route',
  client: 'its client-ID claims disagree, or hold no text',
  bound: 'it is bound to a key or a certificate, which nothing proves here',
  unbound: 'it is bound to nothing, where only bound ones are taken or it came as DPoP',
  certificate: 'it is bound to another certificate than the caller has',
  inactive: 'the issuer says that it is not active',
  revoked: 'it was revoked',
  'proof:missing': 'there is no DPoP proof',
  'proof:several': 'there are several DPoP proofs',
  'proof:malformed': 'the DPoP proof is no JWT with a jti',
  'proof:type': 'the typ of the DPoP proof is not dpop+jwt',
  'proof:algorithm': 'the alg of the DPoP proof is not taken',
  'proof:key': 'the key in the DPoP proof is private, weak, of another kind or missing',
  'proof:binding': 'the DPoP proof is of another key than the token is bound to',
  'proof:method': 'the htm of the DPoP proof is another method',
  'proof:address': 'the htu of the DPoP proof is another address than publicUrl and the path make',
  'proof:age': 'the iat of the DPoP proof is too long ago, or to come',
  'proof:token': 'the ath of the DPoP proof is of another token',
  'proof:signature': 'the signature of the DPoP proof is not of the key in it',
  'proof:nonce': 'the DPoP proof has no nonce of this server, or one that is too old',
  waited_in_vain: 'its turn did not come in time',
}

export function reasonText(reason: string): string {
  if (reason.startsWith('claim:'))
    return `the claim ${reason.slice('claim:'.length)} is missing, or not as it has to be`
  return reasonTexts[reason] ?? reason
}
