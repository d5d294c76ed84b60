import type { Unit } from '../../../eventstore/index.ts';
import type { Batch } from '../../../eventstore/planner/batch-planner.ts';
import { BatchPlanner } from '../../../eventstore/planner/batch-planner.ts';
import { defaultUnitLimits, planUnit } from '../../../eventstore/planner/planned-unit.ts';

/** A batch as a log would make it of these units. */
export function batchOf(...units: readonly Unit[]): Batch {
  const planner = new BatchPlanner();
  for (const unit of units) planner.add(planUnit(unit, defaultUnitLimits, () => undefined));
  const batch = planner.next();
  if (batch?.units.length !== units.length) throw new Error('these units do not fit into one batch');
  return batch;
}
