import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import pg from 'pg';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createConsumer } from '../../examples/webhook-consumer.ts';
import { signatureHeader } from '../../src/webhooks/signature.ts';
import { granted, WebhookStage } from '../webhooks/support/stage.ts';

/** Proves that the example does what an event asks for once, however often, at once, or late it is delivered. */
let stage: WebhookStage;
let pool: pg.Pool;
let server: Server | undefined;

beforeEach(async () => {
  stage = await WebhookStage.open();
  pool = new pg.Pool(stage.database.poolConfig);
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  await pool.end();
  await stage.close();
});

async function consume(secrets: string[]): Promise<string> {
  server = await createConsumer({ pool, secrets });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

it('counts each payment once: delivered, replayed, and five times at once', async () => {
  // The consumer goes by the clock on the wall.
  stage.clock.ms = Date.now();
  const secrets: string[] = [];
  const url = await consume(secrets);
  const added = granted(await stage.webhooks.add({ owner: 'service:shop', url, types: ['payment.*'] }));
  secrets.push(added.secret);
  stage.run();
  stage.scribe.open('ada');
  stage.scribe.open('ben');
  stage.scribe.cashIn('ada', 1_000n);
  for (let count = 1; count <= 10; count += 1) stage.scribe.p2p('ada', 'ben', BigInt(count));
  const open = stage.scribe.p2p('ada', 'ben', 500n, { upTo: 'AUTHORIZED' });
  await stage.told();
  const paid = async () => (await pool.query('select payee, total::text from paid order by payee')).rows as unknown[];
  const right = [
    { payee: 'ada', total: '1000' },
    { payee: 'ben', total: '55' },
  ];
  expect(await paid()).toEqual(right);

  granted(await stage.webhooks.replay(added.id, 'anybody', { status: 'delivered' }));
  await stage.told();
  expect(await paid()).toEqual(right);

  const { rows } = await pool.query<{ body: string }>(
    `select body from webhooks.events where type = 'payment.captured'`,
  );
  for (const { body } of rows.slice(0, 3)) {
    const signature = signatureHeader(body, secrets, new Date());
    const post = () => fetch(url, { method: 'POST', body, headers: { 'kora-signature': signature } });
    const answers = await Promise.all([post(), post(), post(), post(), post()]);
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204]);
  }
  expect(await paid()).toEqual(right);
  // An old event after a newer one changes nothing.
  const status = await pool.query('select status from payment where id = $1', [open]);
  expect(status.rows).toEqual([{ status: 'AUTHORIZED' }]);
});

it('takes nothing that is not signed with its secret, and forgets an event whose effect failed', async () => {
  const url = await consume(['the secret']);
  const body = JSON.stringify({
    id: 'evt_1',
    type: 'payment.initiated',
    subject: 'payment/p',
    sequence: 1,
    data: { paymentId: 'p', status: 'INITIATED', payee: 'ben' },
  });
  const post = async (secret: string, sent = body): Promise<number> => {
    const headers = { 'kora-signature': signatureHeader(body, [secret], new Date()) };
    return (await fetch(url, { method: 'POST', body: sent, headers })).status;
  };
  expect(await post('another')).toBe(401);
  expect(await post('the secret', body.replace('ben', 'eve'))).toBe(401);
  await pool.query('alter table payment rename to away');
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await post('the secret')).toBe(500);
  expect(said).toHaveBeenCalledOnce();
  said.mockRestore();
  await pool.query('alter table away rename to payment');
  expect((await pool.query('select from processed_event')).rowCount).toBe(0);
  expect(await post('the secret')).toBe(204);
  expect((await pool.query('select payee from payment')).rows).toEqual([{ payee: 'ben' }]);
});
