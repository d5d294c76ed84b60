import type { CaseContext, Measured } from '../harness/case.ts';
import { measureFault } from './faults.ts';

/** A restart of PostgreSQL. */
export const run = (context: CaseContext): Promise<Measured> =>
  measureFault(context, 'faults.postgres', () => {
    // A fast shutdown, as an upgrade does it; the bench's own server starts again by itself.
    process.kill(context.postmasterPid, 'SIGINT');
    return Promise.resolve();
  });
