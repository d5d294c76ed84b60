import { Code } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { Runtime, UnitFailedError } from '../../src/actors/runtime.ts';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import {
  type CommandResult,
  PaymentKind,
  PaymentStatus,
  PayUpTo,
} from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { RefusalCode } from '../../src/gateway/rpc/gen/kora/v1/refusal_pb.js';
import { clientsOf, protocols, type RpcClients } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

const p2p = (
  idempotencyKey: string,
  amount: string,
  changes: { correlationId?: string; effectiveAt?: string } = {},
) => {
  const { correlationId, effectiveAt } = changes;
  const value = {
    ...{ idempotencyKey, amount, kind: PaymentKind.P2P, currency: 'XOF', payer: 'ama', payee: 'kofi' },
    upTo: PayUpTo.SETTLED,
    ...(effectiveAt !== undefined && { effectiveAt }),
  };
  return { command: { case: 'pay' as const, value }, ...(correlationId !== undefined && { correlationId }) };
};

// Every command of a batch is answered in its place, whatever becomes of the others.
describe('a batch', () => {
  let test: TestDoor;
  let payments: RpcClients['payments'];

  const open = async (test: TestDoor): Promise<void> => {
    const { accounts } = clientsOf(test.url, test.token);
    for (const accountId of ['ama', 'kofi']) {
      const wallet = { idempotencyKey: accountId, accountId, walletType: WalletType.CUSTOMER, currency: 'XOF' };
      await accounts.openAccount({ ...wallet, limit: '1000000' });
    }
  };
  beforeEach(async () => {
    test = await openTestDoor();
    await open(test);
    ({ payments } = clientsOf(test.url, test.token));
  });
  afterEach(() => test.close());

  it.each(Object.keys(protocols))('of 10,000 commands is answered one by one, in order, over %s', async (protocol) => {
    const commands = Array.from({ length: 10_000 }, (_, index) => p2p(`k${index}`, `${(index % 100) + 1}`));
    const { results } = await clientsOf(test.url, test.token, protocol).payments.batch({ commands });
    expect(results.map(({ result }) => result.case === 'done' && result.value.subject.case === 'payment')).toEqual(
      commands.map(() => true),
    );
    const amounts = results.map((result) => paymentOf(result)?.amount);
    expect(amounts).toEqual(commands.map(({ command }) => command.value.amount));
    const { account } = await clientsOf(test.url, test.token).accounts.getAccount({ accountId: 'kofi' });
    expect(account?.posted).toBe('505000');
  });

  it('pays a key once that it holds twice, and refuses the key with another body', async () => {
    const { results } = await payments.batch({
      commands: [p2p('k', '5'), p2p('k', '5'), p2p('k', '6'), p2p('other', '1'), p2p('k', '5')],
    });
    const done = { case: 'done' };
    expect(results.map(({ result }) => result)).toMatchObject([
      { ...done, value: { duplicate: false } },
      { ...done, value: { duplicate: true, position: 0n } },
      { case: 'refused', value: { refusal: { code: RefusalCode.IDEMPOTENCY_CONFLICT } } },
      { ...done, value: { duplicate: false } },
      { ...done, value: { duplicate: true } },
    ]);
    const paid = [0, 1, 4].map((index) => paymentOf(results[index]));
    expect(new Set(paid.map((payment) => payment?.paymentId)).size).toBe(1);
    const again = await payments.batch({ commands: [p2p('k', '5')] });
    expect(again.results[0]?.result).toMatchObject({ case: 'done', value: { duplicate: true } });
    const { account } = await clientsOf(test.url, test.token).accounts.getAccount({ accountId: 'kofi' });
    expect(account?.posted).toBe('6');
  });

  it('goes on past what is refused, recorded or not, and past what is malformed', async () => {
    const { results } = await payments.batch({
      commands: [
        p2p('overdraft', '1000001'),
        p2p('malformed', '1.5'),
        { command: { case: undefined } },
        { command: { case: 'capture', value: { idempotencyKey: 'c', paymentId: 'abcdefghijklmnopqrstuvwxyz0' } } },
        p2p('right', '1'),
      ],
    });
    expect(results.map(({ result }) => result)).toMatchObject([
      {
        case: 'refused',
        value: {
          refusal: { figures: { case: 'insufficientFunds', value: { available: '1000000', asked: '1000001' } } },
          payment: { status: PaymentStatus.FAILED },
          duplicate: false,
        },
      },
      {
        case: 'refused',
        value: { refusal: { figures: { case: 'invalid', value: { field: 'amount' } } }, position: 0n },
      },
      { case: 'refused', value: { refusal: { figures: { case: 'invalid', value: { field: 'command' } } } } },
      { case: 'refused', value: { refusal: { code: RefusalCode.NOT_FOUND } } },
      { case: 'done', value: { duplicate: false } },
    ]);
    const refused = results[0]?.result;
    expect(refused?.case === 'refused' && refused.value.position).toBeGreaterThan(0n);
  });

  it('ties each command to others as it says, and to the call where it says nothing', async () => {
    const headers = { 'kora-correlation-id': 'call-1' };
    const { results } = await payments.batch(
      {
        commands: [
          p2p('own', '1', { correlationId: 'own-1', effectiveAt: '2020-01-01T00:00:00Z' }),
          p2p('calls', '1'),
          p2p('wrong', '1', { correlationId: 'two words' }),
        ],
      },
      { headers },
    );
    const metas = test.log.store.units.slice(-2).map(({ meta }) => meta);
    expect(metas).toMatchObject([
      { correlationId: 'own-1', effectiveAt: '2020-01-01T00:00:00.000Z' },
      { correlationId: 'call-1' },
    ]);
    expect(metas[1]).not.toHaveProperty('effectiveAt');
    expect(results[2]?.result).toMatchObject({
      case: 'refused',
      value: { refusal: { figures: { case: 'invalid', value: { field: 'correlationId' } } } },
    });
  });

  it('may be empty, and has a bound', async () => {
    expect((await payments.batch({})).results).toEqual([]);
    const commands = Array.from({ length: 10_001 }, (_, index) => p2p(`k${index}`, '1'));
    const refused = await refusedBy(payments.batch({ commands }));
    expect(refused.error).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: 'commands: 10001 in one batch, 10000 at most: send several batches',
    });
    expect(test.log.store.units, 'nothing of it was carried out').toHaveLength(2);
  });

  it('carries account commands as well', async () => {
    const wallet = { walletType: WalletType.CUSTOMER, currency: 'XOF' };
    const { results } = await payments.batch({
      commands: ['a', 'b', 'a'].map((accountId) => ({
        command: { case: 'openAccount', value: { ...wallet, idempotencyKey: `open ${accountId}`, accountId } },
      })),
    });
    expect(results.map(({ result }) => result)).toMatchObject(
      ['a', 'b', 'a'].map((accountId, index) => ({
        case: 'done',
        value: { subject: { case: 'account', value: { accountId } }, duplicate: index === 2 },
      })),
    );
  });

  it('answers a fault in its place, and tells the log of all of them once', async () => {
    const log = new MemoryLog();
    const runtime = new Runtime({ log });
    const faulty = await openTestDoor({
      runtime: {
        execute: (request, caller) => {
          if (request.idempotencyKey.startsWith('lost'))
            return Promise.reject(new UnitFailedError('secret of the log'));
          if (request.idempotencyKey.startsWith('broken')) throw new TypeError('secret of the machine');
          return runtime.execute(request, caller);
        },
        payment: (id) => runtime.payment(id),
        account: (id) => runtime.account(id),
        payout: () => Promise.resolve(undefined),
      },
    });
    await open(faulty);
    const { results } = await clientsOf(faulty.url, faulty.token).payments.batch({
      commands: [p2p('lost 1', '1'), p2p('right', '1'), p2p('broken', '1'), p2p('lost 2', '1')],
    });
    expect(results.map(({ result }) => result)).toMatchObject([
      {
        case: 'fault',
        value: { code: 'unavailable', message: expect.stringContaining('same idempotency key') as string },
      },
      { case: 'done' },
      {
        case: 'fault',
        value: { code: 'internal', message: expect.stringContaining('same idempotency key') as string },
      },
      { case: 'fault', value: { code: 'unavailable' } },
    ]);
    expect(JSON.stringify(results.map(({ result }) => result.case === 'fault' && result.value))).not.toContain(
      'secret',
    );
    expect(faulty.faults).toMatchObject([{ details: { faults: 3 } }]);
    await faulty.close();
  });
});

function paymentOf(result: CommandResult | undefined) {
  if (result?.result.case !== 'done' || result.result.value.subject.case !== 'payment') return undefined;
  return result.result.value.subject.value;
}
