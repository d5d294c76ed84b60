import { constants, setPriority } from 'node:os';

/** Lets other processes of the machine go first. Where that may not be done, nothing is. */
export function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is a courtesy, and no condition.
  }
}
