import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import type { KoraRequest } from '../../src/actors/requests.ts';
import { type Outcome, Runtime } from '../../src/actors/runtime.ts';
import { Forwarder } from '../../src/gateway/peer/forwarder.ts';
import { type PeerTls, startPeerDoor } from '../../src/gateway/peer/peer-door.ts';
import { readAnswers, readCalls, writeCalls } from '../../src/gateway/peer/wire.ts';
import { createServiceKey, type ServiceKey } from '../../src/gateway/service-token.ts';
import type { Incoming, Tracing } from '../../src/platform/tracing/span.ts';
import { Certificates } from '../rpc/certificates.ts';
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

interface Both {
  readonly theirKey?: ServiceKey;
  readonly theirs?: (real: Execute) => Execute;
  readonly tracing?: { readonly here: Pick<Tracing, 'traceparent'>; readonly there: Pick<Tracing, 'begin'> };
  readonly tls?: { readonly here: PeerTls | undefined; readonly there: PeerTls };
}

async function twoProcesses(options: Both = {}) {
  const log = new MemoryLog();
  const [here, there] = [new Runtime({ log }), new Runtime({ log })];
  await openWallets(there, { ada: 1_000n, ben: 0n });
  const key = createServiceKey();
  const real: Execute = (request, by) => there.execute(request, by);
  const execute = vi.fn(options.theirs?.(real) ?? real);
  const silent = { warn: () => undefined };
  const keys = [options.theirKey ?? key];
  const { tls } = options;
  const door = await startPeerDoor({
    runtime: { execute },
    host: '127.0.0.1',
    port: 0,
    keys,
    log: silent,
    ...(tls && { tls: tls.there }),
    ...(options.tracing && { tracing: options.tracing.there }),
  });
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
    ...(tls?.here && { tls: tls.here }),
    ...(options.tracing && { tracing: options.tracing.here }),
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

  it('stays in its trace', async () => {
    const begun: [string, Incoming | undefined][] = [];
    let ended = 0;
    const { ask } = await twoProcesses({
      tracing: {
        here: { traceparent: () => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
        there: {
          begin: (name, _attributes, incoming) => {
            begun.push([name, incoming]);
            return { run: (work) => work(), correlate: () => undefined, end: () => void (ended += 1) };
          },
        },
      },
    });
    await ask(p2p('ada', 'ben', 300n, 'k1'));
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(begun).toEqual([['peer.command', { traceparent, correlationId: caller.correlationId }]]);
    expect(ended).toBe(1);
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

  it('goes encrypted where the house has certificates, and to nobody without one of its own', async () => {
    const certificates = await Certificates.open();
    closing.push(() => certificates.remove());
    const [house, strange] = [await certificates.authority('house'), await certificates.authority('strange')];
    const of = async (issuer: typeof house, trusted = issuer, name = 'IP:127.0.0.1'): Promise<PeerTls> => {
      const { certificate, key } = await certificates.issued(issuer, 'kora', name);
      return { certificate, key, clientCa: trusted.certificate };
    };
    const there = await of(house);
    const encrypted = await twoProcesses({ tls: { here: await of(house), there } });
    expect(await encrypted.ask(p2p('ada', 'ben', 300n, 'k1'))).toMatchObject(paid);
    expect(encrypted.execute).toHaveBeenCalledTimes(1);
    const others = {
      'in clear': { here: undefined, there },
      'with a certificate that a stranger issued': { here: await of(strange, house), there },
      'to one with a certificate that a stranger issued': { here: await of(house), there: await of(strange, house) },
      'to one with a certificate for another address': {
        here: await of(house),
        there: await of(house, house, 'DNS:x'),
      },
    };
    for (const [which, tls] of Object.entries(others)) {
      const { ask, execute, executeHere, suspects } = await twoProcesses({ tls });
      expect(await ask(p2p('ada', 'ben', 300n, 'k1')), which).toMatchObject(paid);
      expect([execute.mock.calls.length, executeHere.mock.calls.length, suspects], which).toEqual([0, 1, ['there']]);
    }
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
