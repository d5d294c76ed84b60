import type { Case } from './case.ts';

/** What one figure should be: against another where `to` is given, else by its own value. */
export interface Target {
  readonly of: string;
  readonly to?: string;
  /** Absent: shown, and not judged. A missed floor wants a profile that says why. */
  readonly floor?: number;
  readonly aim?: number;
  /** Which is better. Default `highest`. */
  readonly best?: 'highest' | 'lowest';
}

/** What `npm run bench -- <name>` runs: its cases in alternation, and what their figures are judged by. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly Case[];
  readonly targets: readonly Target[];
  /** Whether it needs what `bench/package.json` names. */
  readonly peers: boolean;
  /** Rounds where nobody says how many. Default 3. */
  readonly rounds?: number;
}
