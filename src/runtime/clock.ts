/** Milliseconds since some fixed moment. */
export type Clock = () => number

/** For spans of time: goes on evenly when somebody sets the wall clock. */
export const monotonicClock: Clock = () => performance.now()

/** For what goes by the calendar. */
export const wallClock: Clock = () => Date.now()
