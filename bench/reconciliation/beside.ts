import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { nodeFlags } from '../../ops/bin/node-flags.js';
import { measureHttp } from '../doors/http.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import type { NightSays, PrepareNight } from './night-process.ts';

/** Payments a second that are offered: of stage 7 of the wallet's specification. */
const perSecond = 300;

/** So many deals are not matched before the payments are measured. */
const deals = 118_000;

export function measureAlone(context: CaseContext): Promise<Measured> {
  return measureHttp(context, 'reconciliation.without', perSecond);
}

/** Payments over http while a night's file is matched by a process of its own, in a database of its own on the same server. */
export async function measureBeside(context: CaseContext): Promise<Measured> {
  const database = `${String(context.database.database)}_reconciliation`;
  await query(context, `create database ${database}`);
  const night = fork(fileURLToPath(new URL('night-process.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeFlags],
  });
  const ended = once(night, 'exit');
  try {
    let last: NightSays | undefined;
    night.on('message', (said) => (last = said as NightSays));
    const prepared = once(night, 'message');
    night.send({ database: { ...context.database, database }, deals } satisfies PrepareNight);
    await Promise.race([prepared, ended]);
    mustHold(last === 'prepared', 'the night is not prepared');
    return await measureHttp(context, 'reconciliation.with', perSecond, {
      pid: night.pid,
      begin: () => night.send('begin'),
      end: async () => {
        mustHold(
          last === 'prepared' && night.exitCode === null,
          'the night was over before the payments were measured',
        );
        const { rows } = await query<{ lines: string }>(
          { ...context, database: { ...context.database, database } },
          'select count(*) as lines from reconciliation.line_states',
        );
        return { linesMatched: Number(rows[0]?.lines) };
      },
    });
  } finally {
    night.kill('SIGKILL');
    await ended;
    await query(context, `drop database ${database} with (force)`);
  }
}

async function query<Row extends pg.QueryResultRow>(
  { database }: Pick<CaseContext, 'database'>,
  text: string,
): Promise<pg.QueryResult<Row>> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    return await client.query<Row>(text);
  } finally {
    await client.end();
  }
}
