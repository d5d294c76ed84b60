import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Receiver } from './support/receiver.ts';
import { granted, WebhookStage } from './support/stage.ts';

/**
 * Proves that whoever chose an event is told of it: signed, in the order of its payment, again until it is taken, for three
 * days; and that what is given up waits for somebody who replays or skips it.
 */
let stage: WebhookStage;
const receivers: Receiver[] = [];
const receiver = (reply?: Receiver['reply']): Receiver => {
  const one = new Receiver(reply);
  receivers.push(one);
  return one;
};

beforeEach(async () => {
  stage = await WebhookStage.open();
});
afterEach(async () => {
  await stage.close();
  await Promise.all(receivers.splice(0).map((one) => one.close()));
});

const HOUR_MS = 3_600_000;
const typesOf = (one: Receiver, subject: string): string[] =>
  one.taken.filter(({ event }) => event.subject === subject).map(({ event }) => event.type);

function valuesOf(signature: string): { readonly at: string; readonly values: string[] } {
  const [at = '', ...values] = signature.split(',');
  return { at: at.slice(2), values: values.map((value) => value.replace('v1=', '')) };
}
const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

/** Opens two wallets with something on one. */
function openWallets(): void {
  stage.scribe.open('ada');
  stage.scribe.open('ben');
  stage.scribe.cashIn('ada', 1_000n);
}

describe('an endpoint', () => {
  it('is told what it chose, from then on, signed over the raw body', async () => {
    openWallets();
    await stage.scribe.written();
    const [all, captured, accounts] = [receiver(), receiver(), receiver()];
    const { secret } = await stage.add(all);
    await stage.add(captured, ['payment.captured']);
    await stage.add(accounts, ['account.*']);
    stage.run();
    const payment = stage.scribe.p2p('ada', 'ben', 10n);
    stage.scribe.open('cleo');
    await stage.told();
    expect(typesOf(all, `payment/${payment}`)).toEqual([
      'payment.initiated',
      'payment.authorized',
      'payment.captured',
      'payment.settled',
    ]);
    expect(all.received).toHaveLength(5);
    expect(captured.received.map(({ event }) => event.type)).toEqual(['payment.captured']);
    expect(accounts.received.map(({ event }) => event.data)).toMatchObject([{ accountId: 'cleo', status: 'OPEN' }]);
    for (const { signature, body, headers, event } of all.received) {
      const { at, values } = valuesOf(signature);
      expect(values).toEqual([hmac(secret, `${at}.${body}`)]);
      expect(Number(at) * 1_000).toBe(stage.clock.ms);
      expect(headers).toMatchObject({ 'kora-event-id': event.id, 'kora-event-type': event.type });
    }
  });

  it('costs nothing while there is none: the log is not read', async () => {
    let subscribed = 0;
    const log = {
      lastPosition: () => stage.log.lastPosition(),
      subscribe: (...args: Parameters<typeof stage.log.subscribe>) => {
        subscribed += 1;
        return stage.log.subscribe(...args);
      },
    };
    openWallets();
    await stage.scribe.written();
    stage.run({ log });
    const one = receiver();
    expect(subscribed).toBe(0);
    await stage.add(one);
    stage.scribe.open('cleo');
    await stage.told();
    expect(one.taken.map(({ event }) => event.subject)).toEqual(['account/cleo']);
  });

  it('that is removed is told nothing more, and what was made for it is swept away', async () => {
    const [gone, other] = [receiver(() => 500), receiver()];
    const { id } = await stage.add(gone);
    await stage.add(other);
    stage.run({ sweepMs: 20 });
    stage.scribe.open('ada');
    await stage.until(() => gone.received.length > 0 && other.taken.length === 1);
    granted(await stage.webhooks.remove(id, { owner: 'service:shop' }));
    stage.scribe.open('ben');
    await stage.until(() => other.taken.length === 2);
    await stage.until(async () => Object.keys(await stage.standing(id)).length === 0, 'the sweep');
    expect(gone.received.every(({ event }) => event.subject === 'account/ada')).toBe(true);
    expect((await stage.webhooks.list('anybody')).map((endpoint) => endpoint.id)).not.toContain(id);
  });

  it('is its owner’s, and nobody else’s', async () => {
    const { id } = await stage.add(receiver());
    const other = { owner: 'service:other' };
    expect(await stage.webhooks.list(other)).toEqual([]);
    for (const answer of [
      await stage.webhooks.remove(id, other),
      await stage.webhooks.rotate(id, other),
      await stage.webhooks.replay(id, other, {}),
      await stage.webhooks.skip(id, other, 'evt_1'),
      await stage.webhooks.deliveries(id, other, {}, { limit: 5 }),
    ]) {
      expect(answer).toMatchObject({ ok: false, refusal: { code: 'WebhookNotFound' } });
    }
  });

  it('is refused where it cannot be right, and when there are too many', async () => {
    const add = (url: string, types: readonly string[]) => stage.webhooks.add({ owner: 'service:shop', url, types });
    const refused = (field: string) => ({ ok: false, refusal: { code: 'WebhookRefused', field } });
    expect(await add('https://10.0.0.1/', ['*'])).toMatchObject(refused('url'));
    expect(await add('http://shop.example/', ['*'])).toMatchObject(refused('url'));
    expect(await add('https://shop.example/', ['payment.captures'])).toMatchObject(refused('types'));
    expect(await add('https://shop.example/', [])).toMatchObject(refused('types'));
    for (let count = 0; count < 20; count += 1) granted(await add('https://shop.example/', ['*']));
    expect(await add('https://shop.example/', ['*'])).toMatchObject({ refusal: { code: 'TooManyWebhooks' } });
    expect(await stage.webhooks.list('anybody')).toHaveLength(20);
  });
});

describe('a secret', () => {
  it('is said once, lies sealed, and is rotated with both signing for a while', async () => {
    const one = receiver();
    const { id, secret } = await stage.add(one);
    stage.run();
    const whose = { owner: 'service:shop' };
    const rotated = granted(await stage.webhooks.rotate(id, whose));
    stage.scribe.open('ada');
    await stage.told();
    stage.clock.advance(25 * HOUR_MS);
    stage.scribe.open('ben');
    await stage.told();
    const [both, newOnly] = one.received.map(({ signature, body }) => ({ ...valuesOf(signature), body }));
    expect(both?.values).toEqual([rotated.secret, secret].map((key) => hmac(key, `${both?.at}.${both?.body}`)));
    expect(newOnly?.values).toEqual([hmac(rotated.secret, `${newOnly?.at}.${newOnly?.body}`)]);
    expect(JSON.stringify(await stage.webhooks.list(whose))).not.toContain('whsec_');
    const { rows } = await stage.pool.query<{ all: string }>(
      `select string_agg(encode(t.secret_sealed, 'escape') || encode(t.previous_sealed, 'escape') || t::text, ' ') as all
       from webhooks.endpoints t`,
    );
    for (const text of ['whsec_', secret.slice(6), rotated.secret.slice(6)]) expect(rows[0]?.all).not.toContain(text);
  });
});

describe('what is not taken', () => {
  it('is tried again with growing pauses for three days, while others of the endpoint go on; then it is dead', async () => {
    const one = receiver(({ event }) => (event.subject === 'account/ada' ? 503 : 200));
    const { id } = await stage.add(one);
    stage.run();
    stage.scribe.open('ada');
    stage.scribe.open('ben');
    await stage.until(() => one.taken.length === 1);
    const times = [stage.clock.ms];
    for (let tries = 1; (await stage.standing(id))['dead'] !== 1; tries += 1) {
      await stage.until(() => one.received.length === tries + 1, `try ${tries}`);
      await stage.until(async () => {
        const { rows } = await stage.pool.query<{ attempts: number }>(
          `select attempts from webhooks.deliveries where stream = 'account/ada'`,
        );
        return rows[0]?.attempts === tries;
      });
      // The time of the next try, and not a moment before it.
      const { rows } = await stage.pool.query<{ due_at: Date; blocked: boolean }>(
        `select due_at, blocked from webhooks.lanes where stream = 'account/ada'`,
      );
      if (rows[0]?.blocked !== false) break;
      stage.clock.ms = rows[0].due_at.getTime();
      times.push(stage.clock.ms);
    }
    const seconds = times.map((ms) => (ms - (times[0] ?? 0)) / 1_000);
    expect(seconds.slice(0, 5)).toEqual([0, 5, 15, 35, 75]);
    expect(seconds.at(-1)).toBe(72 * 3_600);
    expect(await stage.standing(id)).toEqual({ delivered: 1, dead: 1 });
    const { items } = granted(await stage.webhooks.deliveries(id, 'anybody', { status: 'dead' }, { limit: 5 }));
    expect(items).toMatchObject([
      { subject: 'account/ada', status: 'dead', attempts: seconds.length, lastError: 'answered 503' },
    ]);
    expect(await stage.webhooks.list('anybody')).toMatchObject([{ pending: 0, dead: 1 }]);
  });

  it.each([
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'redirects are not followed'],
    ['a cut connection', 'cut', 'the call broke: ECONNRESET'],
    ['a client error', 404, 'answered 404'],
  ] as const)('may be so by %s', async (_, reply, sentence) => {
    const one = receiver(() => reply);
    const { id } = await stage.add(one);
    stage.run();
    stage.scribe.open('ada');
    await stage.until(async () => {
      const { items } = granted(await stage.webhooks.deliveries(id, 'anybody', {}, { limit: 1 }));
      return items[0]?.lastError?.includes(sentence) === true;
    });
    expect(one.received).toHaveLength(1);
  });

  it('may be so because nobody answers in time', async () => {
    const { promise: never, resolve } = Promise.withResolvers<number>();
    const one = receiver(() => never);
    const { id } = await stage.add(one);
    stage.run({ timeoutMs: 100 });
    stage.scribe.open('ada');
    await stage.until(async () => {
      const { items } = granted(await stage.webhooks.deliveries(id, 'anybody', {}, { limit: 1 }));
      return items[0]?.lastError === 'did not answer in time';
    });
    resolve(200);
  });

  it('is tried when the receiver asks for it, not earlier', async () => {
    const one = receiver(() => ({ status: 429, headers: { 'retry-after': '600' } }));
    await stage.add(one);
    stage.run();
    stage.scribe.open('ada');
    const dueIn = async (): Promise<number | undefined> => {
      const { rows } = await stage.pool.query<{ due_at: Date }>(
        'select due_at from webhooks.lanes where claim is null',
      );
      return rows[0] && rows[0].due_at.getTime() - stage.clock.ms;
    };
    await stage.until(async () => (await dueIn()) === 600_000);
  });

  it('keeps the later ones of its payment back, and no other payment', async () => {
    let open = false;
    const one = receiver(({ event }) => (event.type === 'payment.authorized' && !open ? 500 : 200));
    openWallets();
    await stage.scribe.written();
    await stage.add(one, ['payment.*']);
    stage.run();
    const stuck = stage.scribe.p2p('ada', 'ben', 1n);
    stage.scribe.cashIn('ben', 5n, { upTo: 'INITIATED' });
    await stage.until(() => one.taken.length === 2);
    // The time goes on when it is written down that one was not taken: its pause counts from then.
    await stage.until(async () => {
      const { rowCount } = await stage.pool.query(`select from webhooks.lanes where claim is null and pending = 3`);
      return rowCount === 1;
    });
    expect(typesOf(one, `payment/${stuck}`)).toEqual(['payment.initiated']);
    open = true;
    stage.clock.advance(HOUR_MS);
    await stage.told();
    expect(typesOf(one, `payment/${stuck}`)).toEqual([
      'payment.initiated',
      'payment.authorized',
      'payment.captured',
      'payment.settled',
    ]);
  });
});

describe('what is dead', () => {
  /** Lets the second event of a payment die, and two more wait behind it. */
  async function dead(): Promise<{ one: Receiver; id: string; subject: string; eventId: string; mend: () => void }> {
    let mended = false;
    const one = receiver(({ event: { subject, sequence } }) => {
      const isSecond = sequence === 2 && subject === one.received[0]?.event.subject;
      return isSecond && !mended ? 500 : 200;
    });
    openWallets();
    await stage.scribe.written();
    const { id } = await stage.add(one, ['payment.*']);
    stage.run({ schedule: { firstDelayMs: 1_000, delayMsMax: 1_000, giveUpAfterMs: 0 } });
    const subject = `payment/${stage.scribe.p2p('ada', 'ben', 1n)}`;
    await stage.until(async () => (await stage.standing(id))['dead'] === 1);
    const { items } = granted(await stage.webhooks.deliveries(id, 'anybody', { status: 'dead' }, { limit: 9 }));
    return { one, id, subject, eventId: items[0]?.eventId ?? '', mend: () => (mended = true) };
  }

  it('blocks its payment until it is replayed; then all comes, in order', async () => {
    const { one, id, subject, mend } = await dead();
    stage.clock.advance(100 * HOUR_MS);
    stage.scribe.open('later');
    const other = `payment/${stage.scribe.cashIn('later', 1n)}`;
    await stage.until(() => typesOf(one, other).length === 4);
    expect(typesOf(one, subject)).toEqual(['payment.initiated']);
    // What was taken is written down a moment later.
    await stage.until(async () => (await stage.standing(id))['delivered'] === 5);
    expect(await stage.standing(id)).toEqual({ delivered: 5, dead: 1, pending: 2 });
    expect(await stage.webhooks.backlog()).toEqual({
      pending: 2,
      dead: 1,
      oldestPendingAt: expect.any(Date) as Date,
      behind: { deliveries: 0 },
    });
    mend();
    expect(granted(await stage.webhooks.replay(id, 'anybody', {}))).toEqual({ replayed: 1 });
    await stage.told();
    expect(typesOf(one, subject)).toEqual([
      'payment.initiated',
      'payment.authorized',
      'payment.captured',
      'payment.settled',
    ]);
    expect((await stage.pool.query('select from webhooks.lanes')).rowCount).toBe(0);
    expect(await stage.webhooks.backlog()).toEqual({ pending: 0, dead: 0, behind: { deliveries: 0 } });
    await stage.stopAll();
    stage.scribe.open('much-later');
    await stage.scribe.written();
    const { behind } = await stage.webhooks.backlog();
    expect(behind['deliveries']).toBeGreaterThan(0);
  });

  it('may be skipped: the rest of its payment comes without it', async () => {
    const { one, id, subject, eventId } = await dead();
    granted(await stage.webhooks.skip(id, 'anybody', eventId));
    await stage.told();
    expect(typesOf(one, subject)).toEqual(['payment.initiated', 'payment.captured', 'payment.settled']);
    expect(await stage.standing(id)).toEqual({ delivered: 3, skipped: 1 });
    expect(await stage.webhooks.skip(id, 'anybody', eventId)).toMatchObject({ refusal: { code: 'DeliveryNotDead' } });
  });

  it('dies again where nothing was mended', async () => {
    const { id, one } = await dead();
    const before = one.received.length;
    granted(await stage.webhooks.replay(id, 'anybody', {}));
    await stage.until(() => one.received.length === before + 1);
    await stage.until(async () => (await stage.standing(id))['dead'] === 1);
    expect(await stage.standing(id)).toEqual({ delivered: 1, dead: 1, pending: 2 });
  });
});

describe('a replay', () => {
  it('is of one event, of types, of a time, or of everything, and sends the very same bytes', async () => {
    const one = receiver();
    openWallets();
    await stage.scribe.written();
    const { id } = await stage.add(one);
    stage.run();
    stage.scribe.p2p('ada', 'ben', 1n);
    stage.scribe.open('cleo');
    await stage.told();
    const first = [...one.taken];
    const replay = async (filter: Parameters<typeof stage.webhooks.replay>[2]) => {
      const before = one.taken.length;
      const { replayed } = granted(await stage.webhooks.replay(id, 'anybody', filter));
      await stage.told();
      expect(one.taken).toHaveLength(before + replayed);
      return one.taken.slice(before).map(({ event }) => event.type);
    };
    expect(await replay({})).toEqual([]);
    expect(await replay({ eventId: first[2]?.event.id ?? '' })).toEqual([first[2]?.event.type]);
    expect(await replay({ status: 'delivered', types: ['payment.captured', 'account.*'] })).toHaveLength(2);
    expect(await replay({ status: 'delivered', to: new Date('2020-01-01') })).toEqual([]);
    const everything = await replay({ status: 'delivered', from: new Date('2020-01-01') });
    expect(everything.filter((type) => type.startsWith('payment.'))).toEqual([
      'payment.initiated',
      'payment.authorized',
      'payment.captured',
      'payment.settled',
    ]);
    const bodies = (some: readonly { body: string }[]) => some.map(({ body }) => body).sort();
    expect(bodies(one.taken.slice(-5))).toEqual(bodies(first));
  });

  it('is read page by page, the newest first', async () => {
    const one = receiver();
    const { id } = await stage.add(one);
    stage.run();
    for (let count = 0; count < 7; count += 1) stage.scribe.open(`a${count}`);
    await stage.told();
    const subjects: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = granted(
        await stage.webhooks.deliveries(
          id,
          'anybody',
          { status: 'delivered' },
          { limit: 3, ...(cursor && { cursor }) },
        ),
      );
      subjects.push(...page.items.map(({ subject }) => subject));
      if (page.next === undefined) break;
      cursor = page.next;
    }
    expect(subjects).toEqual([6, 5, 4, 3, 2, 1, 0].map((number) => `account/a${number}`));
  });
});

describe('a slow endpoint', () => {
  it('does not slow another one down', async () => {
    const { promise: late, resolve } = Promise.withResolvers<number>();
    const [slow, quick] = [receiver(() => late), receiver()];
    await stage.add(slow);
    await stage.add(quick);
    stage.run({ lanesPerEndpoint: 2 });
    for (let count = 0; count < 30; count += 1) stage.scribe.open(`a${count}`);
    await stage.until(() => quick.taken.length === 30);
    expect(slow.received).toHaveLength(2);
    resolve(200);
    await stage.told();
    expect(slow.taken).toHaveLength(30);
  });
});
