/** The fault of a decision, which must be one. */
export async function faultOf(decision: () => unknown): Promise<unknown> {
  try {
    await decision()
  } catch (error) {
    return error
  }
  throw new Error('There was no fault.')
}
