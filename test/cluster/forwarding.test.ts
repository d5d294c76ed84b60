import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import type { KoraRequest } from '../../src/actors/requests.ts';
import { type Outcome, Runtime } from '../../src/actors/runtime.ts';
import { Forwarder } from '../../src/gateway/peer/forwarder.ts';
import { startPeerDoor } from '../../src/gateway/peer/peer-door.ts';
import { readAnswers, readCalls, writeCalls } from '../../src/gateway/peer/wire.ts';
import { createServiceKey, type ServiceKey } from '../../src/gateway/service-token.ts';
import { caller, cashIn, openWallets, p2p } from '../support/wallets.ts';

/**
 * Proves that a forwarded command is carried out by its owner and answered as if here, and that it is carried out here, once,
 * when the owner is gone, silent, overloaded, of another house or of another version. Two runtimes on one log, a real socket
 * between them.
 */
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Execute = Runtime['execute'];

async function twoProcesses(options: { theirKey?: ServiceKey; theirs?: (real: Execute) => Execute } = {}) {
  const log = new MemoryLog();
  const [here, there] = [new Runtime({ log }), new Runtime({ log })];
  await openWallets(there, { ada: 1_000n, ben: 0n });
  const key = createServiceKey();
  const real: Execute = (request, by) => there.execute(request, by);
  const execute = vi.fn(options.theirs?.(real) ?? real);
  const silent = { warn: () => undefined };
  const keys = [options.theirKey ?? key];
  const door = await startPeerDoor({ runtime: { execute }, host: '127.0.0.1', port: 0, keys, log: silent });
  const suspects: string[] = [];
  const asked: string[] = [];
  const executeHere = vi.spyOn(here, 'execute');
  const forwarder = new Forwarder({
    runtime: here,
    placement: {
      ownerOf: (account) => {
        asked.push(account);
        return { id: 'there', address: `127.0.0.1:${door.port}` };
      },
      suspect: (id) => suspects.push(id),
    },
    memberId: 'here',
    key,
    log: silent,
  });
  closing.push(
    () => door.close(),
    () => forwarder.close(),
  );
  const ask = (request: KoraRequest): Promise<Outcome> => forwarder.execute(request, caller);
  return { here, there, door, ask, asked, suspects, execute, executeHere };
}

const paid = { ok: true, duplicate: false, payment: { status: 'SETTLED', payer: 'ada', payee: 'ben' } };

describe('a forwarded command', () => {
  it('is carried out by the owner, and seen here', async () => {
    const { here, ask, execute, executeHere } = await twoProcesses();
    expect(await here.account('ada')).toMatchObject({ posted: '1000' });
    expect(await ask(p2p('ada', 'ben', 300n, 'k1'))).toMatchObject(paid);
    expect(execute).toHaveBeenCalledTimes(1);
    expect(executeHere).not.toHaveBeenCalled();
    expect(await here.account('ada')).toMatchObject({ posted: '700' });
    expect(await ask(p2p('ada', 'ben', 5_000n, 'k2'))).toMatchObject({
      ok: false,
      refusal: { code: 'InsufficientFunds', available: '700' },
      payment: { status: 'FAILED' },
    });
  });

  it('goes to the account that it debits, a step to where its payment went', async () => {
    const { ask, asked } = await twoProcesses();
    const { payment } = await ask({ ...p2p('ada', 'ben', 300n, 'k1'), upTo: 'AUTHORIZED' });
    await ask({ type: 'Capture', idempotencyKey: 'k2', paymentId: payment?.paymentId ?? '', amount: 200n });
    await ask(cashIn('ben', 5n));
    await ask({ type: 'SetLimit', idempotencyKey: 'k3', accountId: 'ben', limit: 7n, reason: 'test' });
    expect(asked).toEqual(['ada', 'ada', 'ben', 'ben']);
  });

  it('of one turn goes along with others, each answered in its place', async () => {
    const { ask, there } = await twoProcesses();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => ask(p2p('ada', 'ben', 1n, `k${index}`))),
    );
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(await there.account('ben')).toMatchObject({ posted: '50' });
  });

  it('is carried out here when the owner is gone', async () => {
    const { ask, door, suspects, executeHere } = await twoProcesses();
    await door.close();
    expect(await ask(p2p('ada', 'ben', 300n, 'k1'))).toMatchObject(paid);
    expect(executeHere).toHaveBeenCalledTimes(1);
    expect(suspects).toEqual(['there']);
  });

  it('is carried out here when the owner answers too late, and once', async () => {
    let carriedOut: Promise<Outcome> | undefined;
    const { here, ask } = await twoProcesses({
      theirs: (real) => (request, by) => {
        carriedOut = real(request, by);
        return new Promise(() => undefined);
      },
    });
    const outcome = await ask(p2p('ada', 'ben', 300n, 'k1'));
    expect(outcome).toMatchObject({ ok: true, duplicate: true, payment: { status: 'SETTLED' } });
    expect(await carriedOut).toMatchObject(paid);
    expect(await here.account('ada')).toMatchObject({ posted: '700' });
  });

  it('is carried out here when the owner has too much to do, or comes to a fault', async () => {
    const overloaded: Outcome = { ok: false, refusal: { code: 'Overloaded', message: 'later' }, duplicate: false };
    const busy = await twoProcesses({ theirs: () => () => Promise.resolve(overloaded) });
    expect(await busy.ask(p2p('ada', 'ben', 300n, 'k1'))).toMatchObject(paid);
    const broken = await twoProcesses({ theirs: () => () => Promise.reject(new Error('broken')) });
    expect(await broken.ask(p2p('ada', 'ben', 300n, 'k1'))).toMatchObject(paid);
  });

  it('is not taken from whoever has not the key of the house', async () => {
    const { ask, execute } = await twoProcesses({ theirKey: createServiceKey() });
    expect(await ask(p2p('ada', 'ben', 300n, 'k1'))).toMatchObject(paid);
    expect(execute).not.toHaveBeenCalled();
  });
});

describe('between versions', () => {
  it('a request of a kind or with a field that is not known is left to the one that has it', () => {
    const request = p2p('ada', 'ben', 3n, 'k1');
    expect(readCalls(writeCalls([{ request, caller }]))).toEqual([{ request, caller }]);
    const sent = { ...request, amount: '3' };
    const newer = [
      { request: { ...sent, urgency: 'high' }, caller },
      { request: { type: 'Split', idempotencyKey: 'k' }, caller },
      { request: sent, caller: { ...caller, branch: 'x' } },
      { request: { ...sent, amount: 'much' }, caller },
      null,
    ];
    expect(readCalls(JSON.stringify(newer))).toEqual(newer.map(() => undefined));
  });

  it('an answer that cannot be put into words here is looked for here', () => {
    const strange = { ok: false, refusal: { code: 'Embargo', message: '?' }, duplicate: false };
    expect(readAnswers(JSON.stringify([strange, null, 7]), 3)).toEqual([null, null, null]);
    expect(() => readAnswers('[]', 1)).toThrow(TypeError);
  });
});
