import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallbackRequest, CallbackVerdict, ConnectorManager } from '../../src/connectors/index.ts';
import { MemoryNonces, managing, parsed, restConfig, slice } from './support/manager.ts';
import { Provider, providerSecret } from './support/provider.ts';

/** Proves that a callback is believed when the provider has signed it, in time and for the first time, and else not. */
let provider: Provider;
let server: Server;
let manager: ConnectorManager;
const heard: { readonly request: CallbackRequest; readonly verdict: CallbackVerdict }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    void (async () => {
      const callback = { headers: request.headers, body: await buffer(request) };
      heard.push({ request: callback, verdict: await manager.callback('mtn', callback) });
      response.end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  provider = await Provider.start('--callback-url', `http://127.0.0.1:${port}/callbacks/mtn`);
  ({ manager } = managing());
  await manager.apply(parsed(restConfig(provider.url)));
});
afterAll(async () => {
  await manager.close();
  await provider.stop();
  server.close();
});

/** The verdicts about one payment, when there are so many. */
async function verdictsOf(reference: string, count: number): Promise<CallbackVerdict[]> {
  const about = () =>
    heard.map(({ verdict }) => verdict).filter((said) => said.outcome === 'read' && said.reference === reference);
  await expect.poll(() => about().length, { timeout: 20_000 }).toBe(count);
  return about();
}

function statusesOf(verdicts: readonly CallbackVerdict[]): string[] {
  return verdicts.map((verdict) => (verdict.outcome === 'read' ? verdict.status.status : verdict.code));
}

function signed(body: string, more: Partial<Record<'timestamp' | 'nonce' | 'secret', string>> = {}): CallbackRequest {
  const { timestamp = String(Date.now()), nonce = `nonce-${Math.random().toString(36).slice(2)}-123456789` } = more;
  const signature = createHmac('sha256', more.secret ?? providerSecret).update(`${timestamp}\n${nonce}\n${body}`);
  return {
    headers: { 'x-timestamp': timestamp, 'x-nonce': nonce, 'x-signature': signature.digest('hex') },
    body: Buffer.from(body),
  };
}

const body = JSON.stringify({ id: 'p-1', reference: 'k-1', status: 'confirmed', fee: '3' });

describe('a callback of the provider', () => {
  it('says what became of a payment, by our key', async () => {
    const payment = slice();
    const sent = await manager.send('mtn', payment);
    expect(sent).toMatchObject({ outcome: 'accepted' });
    const { providerRef } = sent as { providerRef: string };
    expect(await verdictsOf(payment.idempotencyKey, 1)).toEqual([
      {
        outcome: 'read',
        reference: payment.idempotencyKey,
        providerRef,
        status: { status: 'confirmed', providerRef, providerFee: '15' },
      },
    ]);
  });

  it('may come before the answer', async () => {
    await provider.behave({ callbackFirst: 1, latency: '100-100' });
    const payment = slice();
    const sending = manager.send('mtn', payment).then(() => 'answer');
    const told = verdictsOf(payment.idempotencyKey, 1).then(() => 'callback');
    expect(await Promise.race([sending, told])).toBe('callback');
    await sending;
  });

  it('may come twice, as two callbacks that are both genuine', async () => {
    await provider.behave({ duplicateCallbacks: 1 });
    const payment = slice();
    await manager.send('mtn', payment);
    expect(statusesOf(await verdictsOf(payment.idempotencyKey, 2))).toEqual(['confirmed', 'confirmed']);
  });

  it('may come out of order', async () => {
    await provider.behave({ outOfOrderCallbacks: 1, confirmAfter: '20-20' });
    const payment = slice();
    await manager.send('mtn', payment);
    expect(statusesOf(await verdictsOf(payment.idempotencyKey, 2))).toEqual(['confirmed', 'pending']);
  });

  it('may contradict what was answered', async () => {
    await provider.behave({ refusedAfterAccepted: 1, confirmAfter: '20-20' });
    const payment = slice();
    expect(await manager.send('mtn', payment)).toMatchObject({ outcome: 'accepted', status: 'pending' });
    expect((await verdictsOf(payment.idempotencyKey, 2))[1]).toMatchObject({
      status: { status: 'refused', code: 'Rejected', elsewhere: false },
    });
  });

  it('is refused when its very bytes come again', async () => {
    const [first] = heard;
    expect(first).toBeDefined();
    if (first !== undefined) {
      expect(await manager.callback('mtn', first.request)).toEqual({ outcome: 'refused', code: 'Replayed' });
    }
  });

  it.each([
    ['without a signature', { headers: {}, body: Buffer.from(body) }, 'SignatureMissing'],
    ['signed by somebody else', signed(body, { secret: 'guessed' }), 'SignatureWrong'],
    ['with another body', { ...signed(body), body: Buffer.from(body.replace('k-1', 'k-2')) }, 'SignatureWrong'],
    ['of yesterday', signed(body, { timestamp: String(Date.now() - 86_400_000) }), 'Stale'],
    ['of tomorrow', signed(body, { timestamp: String(Date.now() + 86_400_000) }), 'Stale'],
    ['with a nonce that is too short to be one', signed(body, { nonce: 'short' }), 'SignatureMissing'],
    ['that is no JSON', signed('confirmed!'), 'Unreadable'],
    ['with a status that nobody knows', signed(body.replace('confirmed', 'done')), 'Unreadable'],
  ])('is refused %s', async (_case, request, code) => {
    expect(await manager.callback('mtn', request)).toEqual({ outcome: 'refused', code });
  });

  it('does not use up its nonce where it is refused', async () => {
    const nonce = 'a-nonce-that-somebody-knows';
    await manager.callback('mtn', signed(body, { nonce, secret: 'guessed' }));
    expect(await manager.callback('mtn', signed(body, { nonce }))).toMatchObject({ outcome: 'read', reference: 'k-1' });
  });

  it('is refused when another process has had it', async () => {
    const nonces = new MemoryNonces();
    const processes = [managing({ nonces }).manager, managing({ nonces }).manager];
    for (const each of processes) await each.apply(parsed(restConfig(provider.url)));
    const request = signed(body);
    const verdicts = await Promise.all(processes.map((each) => each.callback('mtn', request)));
    expect(verdicts.map(({ outcome }) => outcome).sort()).toEqual(['read', 'refused']);
    await Promise.all(processes.map((each) => each.close()));
  });

  it('may be signed with the secret of before while it is being changed', async () => {
    const env = { MTN_SECRET: 'requests', NEW: 'new', OLD: 'old' };
    const changing = managing({ secrets: { env } }).manager;
    const settings = { callbackSecret: 'env:NEW', callbackSecretBefore: 'env:OLD' };
    await changing.apply(parsed(restConfig(provider.url, {}, settings)));
    for (const [secret, outcome] of [
      ['new', 'read'],
      ['old', 'read'],
      ['requests', 'refused'],
    ] as const) {
      expect(await changing.callback('mtn', signed(body, { secret }))).toMatchObject({ outcome });
    }
    await changing.close();
  });

  it('is not taken where no connector takes any', async () => {
    expect(await manager.callback('nobody', signed(body))).toEqual({ outcome: 'refused', code: 'NotTaken' });
  });
});
