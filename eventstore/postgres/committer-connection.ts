import pg from 'pg';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import type { Batch } from '../planner/batch-planner.ts';
import type { CommitAnswer } from '../planner/group-committer.ts';
import { appendBatch, encodeBatch } from './append-batch.ts';

/**
 * SQLSTATE classes after which the same batch may simply be sent again: operator intervention, resources (disk full),
 * connection, lost races for locks. Everything else a server says is final: it rolled back and would do so again.
 */
const passing = /^(08|40|53|55|57|58)/;

function isFinal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && typeof error.code === 'string' && !passing.test(error.code);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The log was closed while a batch's outcome was unknown: nobody will ask any more. The log itself knows. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';
  readonly code = 'OutcomeUnknown';
}

export interface CommitterConnectionOptions {
  readonly config: pg.ClientConfig;
  /** Told when commits begin to wait for the store (with the reason) and when they go on (undefined). */
  readonly onTrouble?: (error: Error | undefined) => void;
}

/**
 * The one connection that appends. When it breaks during a call the outcome is unknown: the identical batch, with the
 * same batch id, is sent over a new connection until the store answers; the first answer is the one that it gives again.
 */
export class CommitterConnection {
  readonly #options: CommitterConnectionOptions;
  readonly #closed = new AbortController();
  #client: pg.Client | undefined;
  #troubled = false;

  constructor(options: CommitterConnectionOptions) {
    this.#options = options;
  }

  async commit(batch: Batch): Promise<CommitAnswer> {
    const encoded = encodeBatch(batch);
    const policy = retry(
      handleWhen((error) => !isFinal(error)),
      { maxAttempts: Number.MAX_SAFE_INTEGER, backoff: new ExponentialBackoff({ initialDelay: 20, maxDelay: 1_000 }) },
    );
    policy.onFailure(({ reason }) => {
      if ('error' in reason && !isFinal(reason.error)) this.#trouble(asError(reason.error));
    });
    try {
      return await policy.execute(async () => {
        const client = await this.#connect();
        const answer = await appendBatch(client, encoded);
        this.#trouble(undefined);
        return answer;
      }, this.#closed.signal);
    } catch (error) {
      if (isFinal(error)) return { outcome: 'failed', error: asError(error) };
      return {
        outcome: 'failed',
        error: new OutcomeUnknownError('the log was closed before the store said what became of the last batch', {
          cause: error,
        }),
      };
    }
  }

  /** Gives up asking (see `OutcomeUnknownError`) and lets go of the connection. */
  async close(): Promise<void> {
    this.#closed.abort();
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new pg.Client({
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      application_name: 'kora-log',
      ...this.#options.config,
    });
    const forget = (): void => {
      if (this.#client === client) this.#client = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    await client.connect();
    await client.query("set lock_timeout = '10s'; set statement_timeout = '60s'; set synchronous_commit = on");
    this.#client = client;
    return client;
  }

  #trouble(error: Error | undefined): void {
    if (error === undefined && !this.#troubled) return;
    this.#troubled = error !== undefined;
    this.#options.onTrouble?.(error);
  }
}
