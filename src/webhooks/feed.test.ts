import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { Scribe } from '../../test/support/units.ts';
import { paymentFeed } from './feed.ts';
import { signatureHeader } from './signature.ts';

/** Proves that whoever reads the feed, from wherever, in whatever pages, gets every event once, signed, and in order. */
async function opened() {
  const log = new MemoryLog();
  const scribe = new Scribe(log);
  scribe.open('ada');
  scribe.open('ben');
  scribe.cashIn('ada', 1_000n);
  for (let n = 0; n < 20; n++) scribe.p2p('ada', 'ben', 1n);
  await scribe.written();
  const now = new Date('2026-03-01T12:00:00Z');
  const feed = paymentFeed({
    log,
    secret: 'a secret',
    tokensOf: (envelopes) => Promise.resolve(envelopes.map(({ subject }) => [`h(${subject})`])),
    now: () => now,
  });
  return { log, feed, now };
}

describe('the feed of payments', () => {
  it('is the same in pages of any size', async () => {
    const { log, feed } = await opened();
    const whole = (await feed.read(0, 10_000)).items.map(({ body }) => body);
    expect(whole).toHaveLength(2 + 21 * 4);
    for (const limit of [1, 3, 7]) {
      const read: string[] = [];
      for (let after = 0, last = 1; after < last;) {
        const page = await feed.read(after, limit);
        read.push(...page.items.map(({ body }) => body));
        [after, last] = [page.next, page.last];
      }
      expect(read).toEqual(whole);
    }
    expect(await feed.read(await log.lastPosition(), 5)).toMatchObject({ items: [], next: await log.lastPosition() });
    await log.close();
  });

  it('signs each event, with the tokens of what statements may say of it', async () => {
    const { log, feed, now } = await opened();
    const { items } = await feed.read(0, 1);
    for (const { body, signature } of items) expect(signature).toBe(signatureHeader(body, ['a secret'], now));
    const [first] = items.map(({ body }) => JSON.parse(body) as { subject: string; tokens: string[] });
    expect(first).toMatchObject({ subject: 'account/ada', tokens: ['h(account/ada)'], version: 1 });
    await log.close();
  });
});
