import type { Writable } from 'node:stream';
import pg from 'pg';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { OutcomeUnknownError } from '../outcome-unknown-error.ts';
import type { Batch } from '../planner/batch-planner.ts';
import type { CommitAnswer } from '../planner/group-committer.ts';
import type { EncodedBatch } from './append-batch.ts';
import { appendBatch, encodeBatch } from './append-batch.ts';
import { BatchDoubt } from './batch-doubt.ts';

/** How long those who wait to be told wait for a store that does not take the next batch. */
const handOverMs = 50;

/** `pg` keeps its socket (with TLS the secure one) in its connection, of which its types do not speak. */
function socketOf(client: pg.Client): Writable {
  return (client as unknown as { readonly connection: { readonly stream: Writable } }).connection.stream;
}

function whenWritten(socket: Writable, written: () => void): void {
  // Not before the next turn: `pg` corks the socket for the rest of this one.
  setImmediate(() => {
    if (!socket.writableNeedDrain) {
      written();
      return;
    }
    const patience = setTimeout(written, handOverMs);
    socket.once('drain', () => {
      clearTimeout(patience);
      written();
    });
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

export interface CommitterConnectionOptions {
  readonly config: pg.ClientConfig;
  readonly lockTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  /** Told when commits begin to wait for the store (with the reason) and when they go on (undefined). */
  readonly onTrouble?: (error: Error | undefined) => void;
}

/**
 * The one connection that appends. When it breaks during a call the outcome is unknown: the identical batch, with the
 * same batch id, is sent over a new connection until the store answers; the first answer is the one that it gives again.
 */
export class CommitterConnection {
  readonly #options: CommitterConnectionOptions;
  readonly #lockTimeoutMs: number;
  readonly #statementTimeoutMs: number;
  readonly #answerTimeoutMs: number;
  #askUntilMs = Infinity;
  #client: pg.Client | undefined;
  #troubled = false;
  #handedOver: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(options: CommitterConnectionOptions) {
    this.#options = options;
    this.#lockTimeoutMs = options.lockTimeoutMs ?? 10_000;
    this.#statementTimeoutMs = options.statementTimeoutMs ?? 60_000;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? this.#statementTimeoutMs + 10_000;
  }

  async commit(batch: Batch): Promise<CommitAnswer> {
    this.#handedOver = Promise.withResolvers();
    const encoded = encodeBatch(batch);
    const doubt = new BatchDoubt();
    const policy = retry(
      handleWhen((error) => !doubt.isSettledBy(error) && Date.now() < this.#askUntilMs),
      { maxAttempts: Number.MAX_SAFE_INTEGER, backoff: new ExponentialBackoff({ initialDelay: 20, maxDelay: 1_000 }) },
    );
    policy.onFailure(({ reason }) => {
      if ('error' in reason && !doubt.isSettledBy(reason.error)) this.#trouble(asError(reason.error));
    });
    try {
      return await policy.execute(async () => {
        // Making a connection takes as long as it takes.
        if (this.#client === undefined) this.#handedOver.resolve();
        const client = await this.#connect();
        try {
          const answer = await this.#call(client, encoded);
          this.#trouble(undefined);
          return answer;
        } catch (error) {
          doubt.callFailed(error);
          // A new connection knows nothing of what it was: a half-dead socket, or a server that was demoted. Not awaited:
          // the goodbye of a dead one would take for ever.
          void this.close();
          throw error;
        }
      });
    } catch (error) {
      // An answer, if not the one that was hoped for: nothing waits for the store any more.
      if (doubt.isSettledBy(error)) this.#trouble(undefined);
      if (!doubt.isInDoubt || doubt.isSettledBy(error)) return { outcome: 'failed', error: asError(error) };
      return {
        outcome: 'unknown',
        error: new OutcomeUnknownError('the log was closed before the store said what became of the last batch', {
          cause: error,
        }),
      };
    }
  }

  /**
   * Resolves when the bytes of the call under way have left this process, and at the latest after some milliseconds: a
   * megabyte or two fits into no socket's buffer, so it leaves in many turns of the event loop.
   */
  handedOver(): Promise<void> {
    return this.#handedOver.promise;
  }

  /** From this instant (milliseconds since 1970) on, a call that fails is not made again. */
  askUntil(instantMs: number): void {
    this.#askUntilMs = instantMs;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  /** The server ends a call that takes too long; one of which it cannot tell us any more (a dead network) we end. */
  async #call(client: pg.Client, batch: EncodedBatch): Promise<CommitAnswer> {
    const timer = setTimeout(() => void client.end().catch(() => undefined), this.#answerTimeoutMs);
    try {
      const answer = appendBatch(client, batch);
      whenWritten(socketOf(client), this.#handedOver.resolve);
      return await answer;
    } finally {
      clearTimeout(timer);
      this.#handedOver.resolve();
    }
  }

  async #connect(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new pg.Client({
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
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
    try {
      // The function reads the heads in statements that each need a snapshot of their own, hence the isolation.
      await client.query(
        `set lock_timeout = ${this.#lockTimeoutMs}; set statement_timeout = ${this.#statementTimeoutMs};
        set synchronous_commit = on; set default_transaction_isolation = 'read committed'`,
      );
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    return client;
  }

  #trouble(error: Error | undefined): void {
    if (error === undefined && !this.#troubled) return;
    this.#troubled = error !== undefined;
    this.#options.onTrouble?.(error);
  }
}
