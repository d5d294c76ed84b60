import type { Logger } from './platform/logging.ts';
import { causeOfKind, type TroubleCause, troubleCauseOf, type TroubleKind } from './platform/postgres/store-trouble.ts';
import { sentenceOf } from './platform/sentence-of.ts';

/**
 * Where trouble shows:
 * - `log`: a commit waits for the store, which has not taken it
 * - `database`: it does not answer a question that costs nothing
 * - `event store`: the same of the KurrentDB that keeps the log, where one does
 */
export type TroubleSource = 'log' | 'database' | 'event store';

export interface Trouble extends TroubleCause {
  readonly sinceMs: number;
}

export interface TroublesOptions {
  readonly logger: Logger;
  /** Commands wait so long for the trouble to pass before further ones are refused. Default 5 s. */
  readonly refuseAfterMs?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/** Errors of the store that come before the trouble is known, or long after it: a line each second at most. */
const mentionedAgainMs = 1_000;

/**
 * What is wrong with the store, for all who must know: readiness, health, the runtime, and people, who are told once when
 * it begins, once for each other reason that it turns out to have, and once when it is over.
 */
export class Troubles {
  readonly #logger: Logger;
  readonly #refuseAfterMs: number;
  readonly #now: () => number;
  readonly #bySource = new Map<TroubleSource, Trouble>();
  readonly #told = new Set<TroubleKind>();
  readonly #listeners = new Set<() => void>();
  #sinceMs: number | undefined;
  #mentionedMs = -Infinity;
  /** How often something failed since it began. */
  #failures = 0;

  constructor({ logger, refuseAfterMs = 5_000, now = () => performance.now() }: TroublesOptions) {
    this.#logger = logger;
    this.#refuseAfterMs = refuseAfterMs;
    this.#now = now;
  }

  /** What is wrong now. A full disk says more than that nobody answers. */
  get current(): Trouble | undefined {
    const all = [...this.#bySource.values()];
    return all.find(({ kind }) => kind !== 'unreachable') ?? all[0];
  }

  /** What further commands are told while it has been wrong for long; undefined: they are taken, and wait. */
  get refusal(): string | undefined {
    // Asked by every command.
    const trouble = this.#sinceMs === undefined ? undefined : this.current;
    if (trouble === undefined || this.#now() - trouble.sinceMs < this.#refuseAfterMs) return undefined;
    // The log keeps its connection when there are none for others.
    if (trouble.kind === 'crowded' && !this.#bySource.has('log')) return undefined;
    return `${trouble.reason}: nothing was begun, send it again with the same key`;
  }

  begin(source: TroubleSource, error: Error, kind?: TroubleKind): void {
    const cause = kind === undefined ? (troubleCauseOf(error) ?? causeOfKind('ill')) : causeOfKind(kind);
    const began = this.#sinceMs === undefined;
    this.#sinceMs ??= this.#now();
    this.#failures += 1;
    this.#bySource.set(source, { ...cause, sinceMs: this.#sinceMs });
    if (!this.#told.has(cause.kind)) {
      this.#told.add(cause.kind);
      const { reason, remedy } = cause;
      this.#logger.error(
        { err: error, trouble: cause.kind, source },
        `${began ? 'trouble' : 'still trouble'}: ${reason}, payments wait (${sentenceOf(error)}). ${remedy}`,
      );
    }
    if (began) this.#tellListeners();
  }

  end(source: TroubleSource): void {
    if (!this.#bySource.delete(source) || this.#bySource.size > 0 || this.#sinceMs === undefined) return;
    const seconds = Math.round((this.#now() - this.#sinceMs) / 100) / 10;
    this.#logger.info({ seconds, failures: this.#failures }, 'the trouble is over: the store does what it is asked');
    this.#sinceMs = undefined;
    this.#failures = 0;
    this.#told.clear();
    this.#tellListeners();
  }

  /**
   * Whether people know already of what an error tells: of the trouble that there is, or of one that somebody mentioned
   * within the last second.
   */
  isKnown(error: unknown): boolean {
    if (troubleCauseOf(error) === undefined) return false;
    if (this.#sinceMs !== undefined) return true;
    const nowMs = this.#now();
    if (nowMs - this.#mentionedMs < mentionedAgainMs) return true;
    this.#mentionedMs = nowMs;
    return false;
  }

  /** Told when trouble begins and when it is over. @returns how to be told no more */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tellListeners(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A logger that says at `debug` what is known already: not every request tells people anew that the database is away. */
export function sayingItOnce(logger: Logger, troubles: Troubles): Logger {
  const quiet = Object.create(logger) as Logger;
  for (const level of ['warn', 'error'] as const) {
    quiet[level] = (fields: unknown, message?: string): void => {
      const { err } = (fields ?? {}) as { readonly err?: unknown };
      if (troubles.isKnown(err)) logger.debug(fields, message);
      else logger[level](fields, message);
    };
  }
  return quiet;
}
