import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDoor, type TestDoor } from './door.ts';

const run = promisify(execFile);

// A person with curl and a token can do everything that a service can.
describe('plain curl', () => {
  let test: TestDoor;
  beforeAll(async () => {
    test = await openTestDoor();
  });
  afterAll(() => test.close());

  const curl = async (method: string, body: object, ...more: string[]): Promise<{ json: unknown; headers: string }> => {
    const { stdout } = await run('curl', [
      ...['-sS', '-i', '-H', `authorization: Bearer ${test.token}`, '-H', 'content-type: application/json'],
      ...more,
      ...['-d', JSON.stringify(body), `${test.url}/kora.v1.${method}`],
    ]);
    const [headers = '', json = ''] = stdout.split(/\r\n\r\n(?=[{])/);
    return { json: JSON.parse(json) as unknown, headers };
  };

  it('opens accounts, pays, is refused, and reads', async () => {
    for (const accountId of ['ama', 'kofi']) {
      const wallet = { idempotencyKey: accountId, accountId, walletType: 'WALLET_TYPE_CUSTOMER', currency: 'XOF' };
      expect((await curl('AccountService/OpenAccount', wallet)).json).toMatchObject({
        account: { accountId, posted: '0' },
      });
    }
    const p2p = { kind: 'PAYMENT_KIND_P2P', amount: '700', currency: 'XOF', payer: 'ama', payee: 'kofi' };
    const pay = { ...p2p, idempotencyKey: 'p2p', upTo: 'PAY_UP_TO_SETTLED' };
    const refused = await curl('PaymentService/Pay', pay, '-H', 'kora-correlation-id: by-hand');
    expect(refused.headers).toMatch(/^HTTP\/1\.1 400 .*kora-correlation-id: by-hand/s);
    expect(refused.json).toMatchObject({
      code: 'failed_precondition',
      message: 'account ama has 0 available, 700 was asked',
      details: [
        { type: 'kora.v1.Refusal', debug: { insufficientFunds: { accountId: 'ama', available: '0', asked: '700' } } },
        { type: 'kora.v1.Payment', debug: { status: 'PAYMENT_STATUS_FAILED' } },
      ],
    });
    const cashIn = { kind: 'PAYMENT_KIND_CASH_IN', amount: '1000', currency: 'XOF', payee: 'ama', provider: 'cash' };
    await curl('PaymentService/Pay', { ...cashIn, idempotencyKey: 'in', upTo: 'PAY_UP_TO_SETTLED' });
    const paid = await curl('PaymentService/Pay', { ...pay, idempotencyKey: 'p2p again' });
    expect(paid.json).toMatchObject({ payment: { status: 'PAYMENT_STATUS_SETTLED', captured: '700' } });
    expect((await curl('AccountService/GetAccount', { accountId: 'kofi' })).json).toMatchObject({
      account: { posted: '700', status: 'ACCOUNT_STATUS_OPEN' },
    });
  });

  it('speaks HTTP/2 as well, with and without prior knowledge', async () => {
    for (const how of ['--http2-prior-knowledge', '--http2', '--http1.0', '--compressed']) {
      const { headers } = await curl('AccountService/GetAccount', { accountId: 'nobody' }, how);
      expect(headers, how).toMatch(/^HTTP\/(2|1\.1) 404/);
    }
  });

  it('may send a large body, for which curl asks first', async () => {
    const commands = Array.from({ length: 200 }, (_, index) => ({
      openAccount: { idempotencyKey: `w${index}`, walletType: 'WALLET_TYPE_CUSTOMER', currency: 'XOF' },
    }));
    const { json } = await curl('PaymentService/Batch', { commands }, '-H', 'expect: 100-continue');
    expect((json as { results: unknown[] }).results).toHaveLength(200);
  });
});
