import type { Command } from '../machines/commands.ts';
import type { Outcome, Runtime } from './runtime.ts';

/** A deadline that the log holds and nothing has met yet. */
export interface DueDeadline {
  readonly paymentId: string;
  /** `expire`: release a hold that nothing captured. `settle`: the day of settlement of a captured payment. */
  readonly kind: 'expire' | 'settle';
}

export interface DeadlineSchedulerOptions {
  readonly runtime: Pick<Runtime, 'carryOut'>;
  /** Deadlines due at `now`, the oldest first, at most `limit`. May lag behind the log: a deadline met is refused. */
  readonly due: (now: Date, limit: number) => Promise<readonly DueDeadline[]>;
  readonly now?: () => Date;
  /** How often it looks. Default 1,000 ms. */
  readonly pollMs?: number;
  /** Deadlines fired per look. Default 500. */
  readonly batchMax?: number;
  readonly onOutcome?: (deadline: DueDeadline, outcome: Outcome) => void;
  readonly onError?: (error: unknown) => void;
}

/** How long a deadline that was refused is left alone before it is tried again. */
const retryAfterMs = 60_000;

/**
 * Fires deadlines. They are facts in the log (`expiresAt`, `settlesAt`), so a restart forgets none. Two schedulers at
 * once do no harm: the command's id is made from the deadline, and a payment applies it once.
 */
export class DeadlineScheduler {
  readonly #options: DeadlineSchedulerOptions;
  readonly #now: () => Date;
  /** Fired lately, until when they are left alone: what `due` reads may not show yet that they were met. */
  readonly #quiet = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: DeadlineSchedulerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
  }

  start(): void {
    if (this.#stopped || this.#looking !== undefined) return;
    this.#looking = this.look()
      .then(() => undefined, this.#options.onError)
      .finally(() => {
        this.#looking = undefined;
        if (!this.#stopped) this.#timer = setTimeout(() => this.start(), this.#options.pollMs ?? 1_000);
      });
  }

  /** Fires what is due now, once. Resolves with how many were carried out. */
  async look(): Promise<number> {
    const now = this.#now();
    for (const [id, until] of this.#quiet) if (until <= now.getTime()) this.#quiet.delete(id);
    const due = await this.#options.due(now, (this.#options.batchMax ?? 500) + this.#quiet.size);
    const fired = await Promise.all(
      due.map(async (deadline) => {
        const command = commandOf(deadline);
        if (this.#quiet.has(command.commandId)) return false;
        this.#quiet.set(command.commandId, now.getTime() + retryAfterMs);
        const outcome = await this.#options.runtime.carryOut(command, {
          tenant: 'kora',
          principal: 'kora:scheduler',
          correlationId: command.commandId,
        });
        this.#options.onOutcome?.(deadline, outcome);
        return outcome.ok;
      }),
    );
    return fired.filter(Boolean).length;
  }

  /** Resolves when nothing that it fired is at work any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }
}

function commandOf({ paymentId, kind }: DueDeadline): Command {
  const commandId = `deadline:${paymentId}:${kind}`;
  return kind === 'expire'
    ? { type: 'Reverse', paymentId, commandId, fingerprint: kind, reason: 'expired' }
    : { type: 'MeetSettlement', paymentId, commandId, fingerprint: kind };
}
