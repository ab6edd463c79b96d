// A local copy of a distant contract store
export { contractFeed, type ContractFeed, type ContractFeedOptions, type FeedContext } from './feed.js'
export type { FeedKey, FeedTrust } from './feed-signature.js'
export { httpSource, type HttpSourceOptions } from './http-source.js'
export type { Replica } from './replica.js'
export type { HeldSnapshot, ReplicaEvent, ReplicaStatus } from './replica-events.js'
export { replicate, type ReplicateOptions } from './replicate.js'
export type { ContractSource } from './source.js'
