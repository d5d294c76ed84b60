import type { Cases, Reports } from '../reconciliation/index.ts';

/** What the doors need of reconciliation. */
export interface Reconciliation {
  readonly cases: Omit<Cases, 'goOn'>;
  readonly reports: Reports;
}
