/** `true` where two types are the same: an `any`, which fits everywhere, is not. */
export type Exactly<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
