/** The log was closed while a unit's outcome was unknown: nobody will ask any more. The log itself knows. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';
  readonly code = 'OutcomeUnknown';
}
