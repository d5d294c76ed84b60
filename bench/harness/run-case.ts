/** The process of one run: `node run-case.ts`, forked by `child.ts`. Told what to do by one message, answers with one. */
import pg from 'pg';
import { suites } from '../suites.ts';
import type { Measured } from './case.ts';

export interface Assignment {
  readonly suite: string;
  readonly caseName: string;
  readonly database: pg.ClientConfig;
  readonly databaseUrl: string;
  readonly postmasterPid: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

export type Answer = { readonly measured: Measured } | { readonly error: string };

async function carryOut({ suite, caseName, ...context }: Assignment): Promise<Measured> {
  const found = suites.find(({ name }) => name === suite)?.cases.find(({ name }) => name === caseName);
  if (found === undefined) throw new Error(`there is no case ${caseName} in suite ${suite}`);
  const { run } = await found.load();
  const checkpoint = async (): Promise<void> => {
    const client = new pg.Client(context.database);
    await client.connect();
    await client.query('checkpoint');
    await client.end();
  };
  return run({ ...context, checkpoint });
}

process.once('message', (assignment: Assignment) => {
  carryOut(assignment)
    .then(
      (measured): Answer => ({ measured }),
      (error: unknown): Answer => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
    .then((answer) => process.send?.(answer, () => process.disconnect()))
    .catch(() => process.exit(1));
});
