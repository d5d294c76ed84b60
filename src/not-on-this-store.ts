import type { KoraConfig } from './platform/config.ts';

/** What was asked for needs a log in PostgreSQL, and the log is kept elsewhere. Nothing was done. */
export class NotOnThisStoreError extends Error {
  override readonly name = 'NotOnThisStoreError';
  readonly code = 'NotOnThisStore';
}

/** @throws NotOnThisStoreError where the log is not in PostgreSQL */
export function refuseElsewhere({ eventstoreUrl }: Pick<KoraConfig, 'eventstoreUrl'>, reason: string): void {
  if (eventstoreUrl === undefined) return;
  throw new NotOnThisStoreError(`not on this store: EVENTSTORE_URL keeps the log in KurrentDB, ${reason}`);
}
