import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkMirrorOf,
  claimForMirror,
  type EventLog,
  isUnavailable,
  type KurrentLogOptions,
  openKurrentLog,
  OtherLogError,
  readMirror,
} from '../eventstore/index.ts';
import { ConfigError } from './platform/config.ts';
import { troubleCauseOf } from './platform/postgres/store-trouble.ts';
import { sentenceOf } from './platform/sentence-of.ts';
import type { Stages } from './platform/stages.ts';
import type { Troubles } from './troubles.ts';

/** The log in KurrentDB, and what the database and the troubles have to do with it. */

/**
 * Opens the log that EVENTSTORE_URL names, and has the database mirror it.
 *
 * @param pool of the role that owns the log's tables
 * @throws ConfigError where the URL, or the two together, cannot be
 */
export async function openLogElsewhere(options: KurrentLogOptions, pool: pg.Pool): Promise<EventLog> {
  const log = await opened(options);
  try {
    await answering(log);
    await claimForMirror(pool);
    await checkMirrorOf(log, pool);
    return log;
  } catch (error) {
    await log.close().catch(() => undefined);
    if (error instanceof OtherLogError) throw otherLog(error);
    throw error;
  }
}

async function opened(options: KurrentLogOptions): Promise<EventLog> {
  try {
    return await openKurrentLog(options);
  } catch {
    // What the client says repeats the URL, and so the password, in its message and beside it.
    throw new ConfigError(
      'EVENTSTORE_URL: the client of KurrentDB cannot read it; see docs/kurrentdb.md for what it may say',
    );
  }
}

async function answering(log: EventLog): Promise<void> {
  try {
    await log.lastPosition();
  } catch (error) {
    const what = isUnavailable(error)
      ? 'cannot be reached: see that it runs, and that the network leads to it'
      : `does not do what it is asked: ${sentenceOf(error)}`;
    throw new Error(`the KurrentDB of EVENTSTORE_URL ${what}`, { cause: error });
  }
}

function otherLog({ message }: OtherLogError): ConfigError {
  return new ConfigError(
    `EVENTSTORE_URL: ${message}. A database goes with one log: name the KurrentDB that it was used with, or another database`,
  );
}

/** @throws ConfigError where the database is the mirror of a log that nobody names now */
export async function refuseMirror(pool: pg.Pool): Promise<void> {
  if ((await readMirror(pool)) === undefined) return;
  throw new ConfigError(
    'EVENTSTORE_URL is not set, and the log of this database is in KurrentDB: set it, or name another database',
  );
}

const askEveryMs = 1_000;
const answerMs = 2_000;

/** Asks KurrentDB what costs it nothing, so that trouble is known before a payment meets it, and known to be over. */
export function watchEventStore(log: Pick<EventLog, 'lastPosition'>, troubles: Troubles, stages: Stages): void {
  const stop = new AbortController();
  let asked: Promise<unknown> | undefined;
  const ask = async (): Promise<void> => {
    // One question at a time, however long it goes unanswered.
    asked ??= log.lastPosition().finally(() => (asked = undefined));
    asked.catch(() => undefined);
    const late = sleep(answerMs, 'late' as const, { ref: false });
    if ((await Promise.race([asked, late])) !== 'late') troubles.end('event store');
    else troubles.begin('event store', new Error(`no answer for ${answerMs} ms`), 'log unreachable');
  };
  const watch = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await ask().catch((error: unknown) => {
        if (stop.signal.aborted) return;
        const kind = troubleCauseOf(error) === undefined ? 'log ill' : undefined;
        troubles.begin('event store', error instanceof Error ? error : new Error(String(error)), kind);
      });
      await sleep(askEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const watched = watch();
  stages.add('the event store is watched no more', () => {
    stop.abort();
    return watched;
  });
}
