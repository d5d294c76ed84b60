import { expect, it } from 'vitest';
import { inTransaction } from '../../src/identity/postgres/transaction.ts';
import { IdentityStage } from './support.ts';

const stage = new IdentityStage();

it('a connection that is cut between two statements of a transaction ends nobody’s process, and is given to nobody else', async () => {
  const cut = inTransaction(stage.pool, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const ended = new Promise((resolve) => client.once('end', resolve));
    await stage.rows('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await ended;
    await client.query('select 1');
  });
  await expect(cut).rejects.toThrow();
  expect(await inTransaction(stage.pool, async (client) => (await client.query('select 1')).rowCount)).toBe(1);
});
