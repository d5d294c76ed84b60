import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyWebhook } from '../../sdk/index.ts';
import { newSecret, signatureHeader } from '../../src/webhooks/signature.ts';

/** Proves that the client takes what Kora signs, and nothing else. */
const at = new Date('2026-03-01T08:00:00Z');
const secret = newSecret();
const event = {
  id: 'evt_1',
  type: 'payment.captured',
  version: 1,
  subject: 'payment/p',
  sequence: 3,
  data: { note: 'é' },
};
const body = JSON.stringify(event);
const header = signatureHeader(body, [secret], at);
const now = { now: () => at };

describe('a delivery', () => {
  it('is taken as it came, as text or bytes', async () => {
    expect(await verifyWebhook(body, header, secret, now)).toEqual({ ok: true, event });
    expect(await verifyWebhook(new TextEncoder().encode(body), header, [secret], now)).toEqual({ ok: true, event });
  });

  it('is taken by the old and by the new secret while they are rotated, and by none after', async () => {
    const next = newSecret();
    const both = signatureHeader(body, [next, secret], at);
    for (const secrets of [secret, next, [secret, next], ['', next]]) {
      expect(await verifyWebhook(body, both, secrets, now)).toMatchObject({ ok: true });
    }
    expect(await verifyWebhook(body, signatureHeader(body, [next], at), secret, now)).toMatchObject({ ok: false });
  });

  it.each([
    ['another body', body.replace('captured', 'settled'), header, 'mismatch'],
    ['one more space', `${body} `, header, 'mismatch'],
    ['another time', body, header.replace(/t=[0-9]+/, 't=1767225600'), 'mismatch'],
    ['another secret', body, signatureHeader(body, [newSecret()], at), 'mismatch'],
    ['no header', body, undefined, 'malformed'],
    ['no value', body, header.replace(/,.*/, ''), 'malformed'],
    ['no time', body, header.replace(/^[^,]*,/, ''), 'malformed'],
    ['two times', body, `t=1,${header}`, 'malformed'],
    ['half a value', body, header.slice(0, -2), 'malformed'],
    ['a value of another kind', body, header.replace('v1=', 'v0='), 'malformed'],
  ] as const)('is refused with %s', async (_, text, signature, reason) => {
    expect(await verifyWebhook(text, signature, secret, now)).toEqual({ ok: false, reason });
  });

  it('is refused by whoever has no secret, whatever signed it', async () => {
    const t = Math.floor(at.getTime() / 1000);
    const signed = `t=${t},v1=${createHmac('sha256', '').update(`${t}.${body}`).digest('hex')}`;
    for (const none of ['', [], ['']]) {
      expect(await verifyWebhook(body, signed, none, now)).toEqual({ ok: false, reason: 'mismatch' });
    }
  });

  it('is refused when it was signed long ago, or will be', async () => {
    const verdictAfter = (ms: number, toleranceMs?: number) =>
      verifyWebhook(body, header, secret, {
        now: () => new Date(at.getTime() + ms),
        ...(toleranceMs !== undefined && { toleranceMs }),
      });
    expect(await verdictAfter(299_000)).toMatchObject({ ok: true });
    expect(await verdictAfter(301_000)).toEqual({ ok: false, reason: 'stale' });
    expect(await verdictAfter(-301_000)).toEqual({ ok: false, reason: 'stale' });
    expect(await verdictAfter(301_000, 3_600_000)).toMatchObject({ ok: true });
  });

  it.each(['', 'null', '[]', '{"id":1}', '\u0000'])(
    'that is rightly signed and no event is unreadable: %j',
    async (text) => {
      expect(await verifyWebhook(text, signatureHeader(text, [secret], at), secret, now)).toEqual({
        ok: false,
        reason: 'unreadable',
      });
    },
  );
});
