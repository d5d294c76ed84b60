import pg from 'pg';

/**
 * SQLSTATE classes after which the same batch may simply be sent again: operator intervention, resources (disk full),
 * connection, lost races for locks, and a server that is read-only for now (25006: a standby). Everything else a server
 * says is final: it rolled back and would do so again.
 */
const passing = /^(08|40|53|55|57|58|25006)/;

/** Of those, the ones that may come from a session or server that ended, whatever became of the commit. */
const ending = /^(08|57P|40003)/;

/** What is known of one batch from the calls that were made for it: pure, so that the simulation goes by it as well. */
export class BatchDoubt {
  #isInDoubt = false;
  #lastError: unknown;

  /** A call went out of which nobody knows what became. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** A call for the batch failed. */
  callFailed(error: unknown): void {
    this.#lastError = error;
    this.#isInDoubt ||= lessonOf(error) === 'nothing';
  }

  /**
   * Whether an error says for good that the batch is not in the log. Once a call has gone out without an answer, a server
   * that refuses the next one for a reason of its own (login, permission, a missing function) proves nothing about the
   * first: only the work on the batch itself does.
   */
  isSettledBy(error: unknown): boolean {
    if (error !== this.#lastError) return isFinal(error) && !this.#isInDoubt;
    return lessonOf(error) === 'rolled back for good' && (!this.#isInDoubt || isRaisedByTheBatch(error));
  }
}

function isFinal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && typeof error.code === 'string' && !passing.test(error.code);
}

/** What a failed call says about its batch. */
function lessonOf(error: unknown): 'rolled back' | 'rolled back for good' | 'nothing' {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined || ending.test(error.code)) return 'nothing';
  if (error.severity === 'FATAL' || error.severity === 'PANIC') return 'nothing';
  return isFinal(error) ? 'rolled back for good' : 'rolled back';
}

/** Bad data and broken constraints: raised by the work on this very batch, after the search for its id found nothing. */
function isRaisedByTheBatch(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^2[23]/.test(error.code ?? '');
}
