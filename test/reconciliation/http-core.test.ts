import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type Core, coreLink, CoreUnreachableError, httpCore } from '../../src/reconciliation/index.ts';

interface Said {
  readonly status: number;
  readonly body?: object;
}
interface Heard {
  readonly path: string | undefined;
  readonly key: string | undefined;
  readonly body: unknown;
}

let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});

/** A server that says these things one after the other, and the core as reconciliation commands it there. */
async function coreThatSays(...answers: readonly Said[]): Promise<{ core: Core; heard: readonly Heard[] }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const { status, body } = answers[heard.length] ?? { status: 599 };
      const key = request.headers['idempotency-key'];
      heard.push({ path: request.url, key: String(key), body: text === '' ? undefined : JSON.parse(text) });
      response.writeHead(status, { 'content-type': 'application/problem+json' }).end(body && JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const link = coreLink({ url, token: () => Promise.resolve('a token') });
  closing.push(async () => {
    link.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return { core: httpCore(link), heard };
}

const booking = { key: 'case:c1:1:1', kind: 'CORRECTION_CREDIT', amount: 700n, currency: 'XOF', payee: 'ada' };
const proof = { key: 'match:l1:p1', paymentId: 'p1', instructed: false, providerRef: 'r1', providerFee: 3n };
const marks = [{ lineId: 'l1', status: 'matched', paymentId: 'p1' }] as const;
const booked = { status: 201, body: { paymentId: 'p9' } };

/**
 * Proves which answers of the core are its word, and which say nothing of what was asked: a process that is not let in, because
 * a key was changed or a scope forgotten, asks again until somebody has put that right. No person gets a case of it.
 */
describe('the core over http', () => {
  it.each<[string, Said]>([
    ['the token is not known', { status: 401, body: { code: 'Unauthenticated', detail: 'who is it?' } }],
    ['a scope is missing', { status: 403, body: { code: 'Forbidden', detail: 'ledger:correct is wanted' } }],
    ['a proxy lets nobody in, in words of its own', { status: 403 }],
    ['there is too much to do', { status: 429, body: { code: 'RateLimited' } }],
    ['it is broken', { status: 500, body: { code: 'Internal' } }],
    ['the first attempt is still running', { status: 409, body: { code: 'StillRunning' } }],
  ])('is asked again, with the same key, where %s', async (_, said) => {
    const { core, heard } = await coreThatSays(said, booked);
    await expect(core.book(booking)).rejects.toThrow(CoreUnreachableError);
    expect(await core.book(booking)).toEqual({ outcome: 'done', paymentId: 'p9' });
    expect(heard[0]).toEqual({
      path: '/v1/payments',
      key: booking.key,
      body: { kind: 'CORRECTION_CREDIT', amount: '700', currency: 'XOF', upTo: 'SETTLED', payee: 'ada' },
    });
    expect(heard[1]).toEqual(heard[0]);
  });

  it('says why it lets nobody in, and not the token', async () => {
    const { core } = await coreThatSays({
      status: 403,
      body: { code: 'Forbidden', detail: 'ledger:correct is wanted' },
    });
    const message = await core.book(booking).then(String, (error: unknown) => (error as Error).message);
    expect(message).toMatch(/does not let this process in: 403 Forbidden: ledger:correct is wanted/);
    expect(message).not.toContain('a token');
  });

  it('is asked again to settle and to mark as well, and 403 is never taken for settled before', async () => {
    const forbidden = { status: 403, body: { code: 'Forbidden' } };
    const { core, heard } = await coreThatSays(forbidden, forbidden, { status: 409, body: { code: 'X' } }, forbidden);
    await expect(core.settle(proof)).rejects.toThrow(CoreUnreachableError);
    await expect(core.mark(marks)).rejects.toThrow(CoreUnreachableError);
    // Refused, and whether it was settled before cannot be asked: then nothing is known.
    await expect(core.settle(proof)).rejects.toThrow(CoreUnreachableError);
    expect(heard.map(({ path }) => path)).toEqual([
      '/v1/payments/p1/settle',
      '/v1/statement-lines',
      '/v1/payments/p1/settle',
      '/v1/payments/p1',
    ]);
  });

  it('is believed when it refuses', async () => {
    const refusal = { status: 422, body: { code: 'AccountClosed', detail: 'ada is closed' } };
    const { core, heard } = await coreThatSays(refusal);
    expect(await core.book(booking)).toEqual({ outcome: 'refused', code: 'AccountClosed', message: 'ada is closed' });
    expect(heard).toHaveLength(1);
  });

  it('is asked whether it was settled before, where it refuses to settle', async () => {
    const refusal = { status: 409, body: { code: 'IllegalTransition', detail: 'no' } };
    const settled = await coreThatSays(refusal, { status: 200, body: { status: 'SETTLED' } });
    expect(await settled.core.settle(proof)).toEqual({ outcome: 'done', paymentId: 'p1' });
    const failed = await coreThatSays(refusal, { status: 200, body: { status: 'FAILED' } });
    expect(await failed.core.settle(proof)).toEqual({ outcome: 'refused', code: 'IllegalTransition', message: 'no' });
  });
});
