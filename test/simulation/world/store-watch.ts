import type { Troubles } from '../../../src/troubles.ts';
import type { SimulatedDatabase } from './database.ts';
import type { Owner, Simulator } from './simulator.ts';

/** How often it is asked, as src/database-watch.ts does. */
const everyMs = 1_000;

/** Asks the store a question that costs nothing, so that a process knows of trouble that no payment of it meets. */
export function watchStore(simulator: Simulator, database: SimulatedDatabase, troubles: Troubles, owner: Owner): void {
  const look = (): void => {
    try {
      database.mustAnswer();
      troubles.end('database');
    } catch (error) {
      troubles.begin('database', error as Error);
    }
    simulator.after(everyMs, look, owner);
  };
  simulator.after(everyMs, look, owner);
}
