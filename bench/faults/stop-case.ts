import type { CaseContext, Measured } from '../harness/case.ts';
import { measureFault } from './faults.ts';

/** SIGSTOP of the process that leads, for the rest of the run. */
export const run = (context: CaseContext): Promise<Measured> =>
  measureFault(context, 'faults.stop', ({ fleet, victim }) => {
    fleet.stop(victim);
    return Promise.resolve();
  });
