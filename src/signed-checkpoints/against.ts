import type { VerifiedCommit } from '../../eventstore/postgres/verify-chain.ts';
import { endOf, type SignedCheckpoint } from './checkpoint.ts';

export interface AgainstFinding {
  readonly position: number;
  readonly check: 'checkpoint';
  readonly message: string;
}

/**
 * Holds the history that a log has now against what a checkpoint says of it. It is told of every commit while the log is
 * verified, with the hash that follows from the stored bytes of everything up to it: what the log itself says of its
 * hashes does not count.
 */
export class AgainstCheckpoint {
  readonly #checkpoint: SignedCheckpoint;
  #first: string | undefined;
  #last = 0;
  #hash: string | undefined;

  constructor(checkpoint: SignedCheckpoint) {
    this.#checkpoint = checkpoint;
  }

  visit({ position, count, hash }: VerifiedCommit): void {
    this.#first ??= hash.toString('hex');
    this.#last = position + count - 1;
    if (position === this.#checkpoint.position && count === this.#checkpoint.count) this.#hash = hash.toString('hex');
  }

  /** Undefined: history up to the checkpoint is what was signed. */
  finding(): AgainstFinding | undefined {
    const { log, hash } = this.#checkpoint;
    const end = endOf(this.#checkpoint);
    if (this.#hash === hash) return undefined;
    if (this.#last < end) {
      return found(
        this.#last + 1,
        `the log ends at position ${this.#last}, and was signed up to position ${end}: history is shorter than the checkpoint`,
      );
    }
    if (this.#first !== log) {
      return found(
        1,
        `the log does not begin as the signed one: the checkpoint is of another log, or history was changed from the first commit on`,
      );
    }
    return found(
      1,
      `history was changed somewhere in positions 1 to ${end}: it does not come to the hash that was signed for position ${end}`,
    );
  }
}

function found(position: number, message: string): AgainstFinding {
  return { position, check: 'checkpoint', message };
}
