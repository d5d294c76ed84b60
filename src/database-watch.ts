import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Stages } from './platform/stages.ts';
import { troubleCauseOf } from './platform/postgres/store-trouble.ts';
import type { Troubles } from './troubles.ts';

export interface DatabaseWatchOptions {
  readonly database: pg.ClientConfig;
  readonly troubles: Troubles;
  /** Of an embedded Postgres: where to look for room. */
  readonly dataDir?: string | undefined;
  /** How often it is asked. Default 1 s. */
  readonly everyMs?: number;
  /** An answer takes no longer. Default 2 s: a machine that is busy with itself is slow, not ill. */
  readonly answerMs?: number;
}

/** Postgres writes its log ahead in files of 16 MiB: with less room it ends itself, and cannot start again. */
const roomMin = 16 * 1024 ** 2;

/**
 * Asks the database a question that costs nothing, over a connection of its own, so that trouble is known before a payment
 * meets it, and known to be over without one.
 */
export function watchDatabase(options: DatabaseWatchOptions, stages: Stages): void {
  const stop = new AbortController();
  const watched = watch(options, stop.signal);
  stages.add('the database is watched no more', () => {
    stop.abort();
    return watched;
  });
}

async function watch(options: DatabaseWatchOptions, signal: AbortSignal): Promise<void> {
  const { database, troubles, dataDir, everyMs = 1_000, answerMs = 2_000 } = options;
  let client: pg.Client | undefined;
  for (;;) {
    try {
      client ??= await connected(database, answerMs, (broken) => {
        if (client === broken) client = undefined;
      });
      await client.query('select 1');
      troubles.end('database');
    } catch (error) {
      void client?.end().catch(() => undefined);
      client = undefined;
      if (signal.aborted) return;
      const full = troubleCauseOf(error)?.kind === 'unreachable' && (await isFull(dataDir));
      troubles.begin(
        'database',
        error instanceof Error ? error : new Error(String(error)),
        full ? 'disk full' : undefined,
      );
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
  }
  await client?.end().catch(() => undefined);
}

/** @param broke told when the connection ends while nobody asks: whether that is trouble, the next one shows */
async function connected(
  database: pg.ClientConfig,
  answerMs: number,
  broke: (client: pg.Client) => void,
): Promise<pg.Client> {
  const client = new pg.Client({
    ...database,
    application_name: 'kora-watch',
    connectionTimeoutMillis: answerMs,
    query_timeout: answerMs,
  });
  client.on('error', () => broke(client));
  client.on('end', () => broke(client));
  await client.connect();
  return client;
}

/** A Postgres that cannot write its log is away, and cannot say why. */
async function isFull(dataDir: string | undefined): Promise<boolean> {
  if (dataDir === undefined) return false;
  const folders = [join(dataDir, 'postgres'), join(dataDir, 'postgres', 'pg_wal')];
  const rooms = await Promise.all(
    folders.map((folder) =>
      statfs(folder).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => Infinity,
      ),
    ),
  );
  return rooms.some((room) => room < roomMin);
}
