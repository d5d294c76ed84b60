import type { CaseContext, Measured } from '../harness/case.ts';
import { measureFault } from './faults.ts';

/** kill -9 of the process that leads; it is started again at once. */
export const run = (context: CaseContext): Promise<Measured> =>
  measureFault(context, 'faults.kill', ({ fleet, victim }) => {
    fleet.kill(victim);
    return Promise.resolve();
  });
