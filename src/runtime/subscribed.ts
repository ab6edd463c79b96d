/** A connection of its own on which messages come in. */
export interface Subscribed {
  /** Resolves when messages are on their way. */
  readonly ready: Promise<unknown>
  /** Rejects, or never resolves, when the other end is gone. */
  ping(): Promise<unknown>
  /** Also before it is ready. */
  close(): void
}
