import { Ajv } from 'ajv';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { MemoryLog, type RecordedUnit } from '../../../eventstore/index.ts';
import { openForRandom, randomSteps, runStep } from '../../../test/support/random-commands.ts';
import { Scribe } from '../../../test/support/units.ts';
import type { PublicEvent } from './catalog.ts';
import { publicEvents } from './public-events.ts';
import { allSchemas, type JsonSchema } from './schema-document.ts';

/** Proves what others are told of a history: in words that are ours to keep, minimal, and the same at every reading. */
async function unitsOf(write: (scribe: Scribe) => void): Promise<RecordedUnit[]> {
  const log = new MemoryLog();
  const scribe = new Scribe(log);
  write(scribe);
  await scribe.written();
  const units: RecordedUnit[] = [];
  for await (const unit of log.readAll(0)) units.push(unit);
  await log.close();
  return units;
}

const told = (units: readonly RecordedUnit[]): PublicEvent[] => units.flatMap(publicEvents);

/** As released, but closed: a field that the schema does not name is a mistake of ours. */
function closed(schema: JsonSchema): JsonSchema {
  const { properties = {} } = schema as { properties?: Record<string, JsonSchema> };
  if (schema['type'] !== 'object') return schema;
  const fields = Object.entries(properties).map(([name, field]) => [name, closed(field)]);
  return { ...schema, properties: Object.fromEntries(fields), additionalProperties: false };
}

const ajv = new Ajv({ strict: true }).addFormat('date-time', (text) => new Date(text).toISOString() === text);
const validators = new Map(
  Object.entries(allSchemas()).map(([name, { $schema: _, $id: __, ...schema }]) => [name, ajv.compile(closed(schema))]),
);

function mistakesIn({ body }: PublicEvent): unknown {
  const envelope = JSON.parse(body) as { type: string; version: number };
  const validate = validators.get(`${envelope.type}.v${envelope.version}`);
  if (validate === undefined) return `there is no schema of ${envelope.type}`;
  return validate(envelope) ? undefined : validate.errors;
}

describe('what is told', () => {
  it('of a purchase and its refund', async () => {
    let purchase = '';
    let refund = '';
    const units = await unitsOf((scribe) => {
      openForRandom(scribe);
      scribe.cashIn('alice', 1_000n);
      purchase = scribe.merchant('alice', 'shop', 600n, { upTo: 'AUTHORIZED' });
      scribe.capture(purchase, 400n);
      scribe.settle(purchase);
      refund = scribe.pay({ kind: 'REFUND', original: purchase, amount: 100n });
    });
    const of = (id: string) =>
      told(units)
        .filter(({ envelope }) => envelope.subject === `payment/${id}`)
        .map(({ envelope: { type, sequence, data } }) => ({ type, sequence, ...data }));
    expect(of(purchase)).toMatchObject([
      { type: 'payment.initiated', sequence: 1, kind: 'MERCHANT', amount: '600', currency: 'XOF', payee: 'shop' },
      { type: 'payment.authorized', sequence: 2, held: '600', currency: 'XOF' },
      { type: 'payment.captured', sequence: 3, amount: '400', currency: 'XOF', status: 'CAPTURED' },
      { type: 'payment.settled', sequence: 4, fee: '6', providerFee: '0' },
      { type: 'payment.refund_reserved', sequence: 5, refund, amount: '100' },
    ]);
    expect(of(refund).map(({ type }) => type)).toEqual([
      'payment.initiated',
      'payment.authorized',
      'payment.captured',
      'payment.settled',
    ]);
  });

  it('is nothing of entries, holds, limits, requests and balances', async () => {
    const units = await unitsOf((scribe) => {
      scribe.open('ada');
      scribe.must({ type: 'SetLimit', commandId: 'l', fingerprint: 'l', accountId: 'ada', limit: 5n, reason: 'r' });
    });
    expect(told(units).map(({ envelope }) => envelope.type)).toEqual(['account.opened']);
  });

  it('never holds what a person wrote, whose an account is, or what is on it', async () => {
    const secret = 'Ada Lovelace of 12 St James Square';
    const units = await unitsOf((scribe) => {
      const ids = (name: string) => ({ commandId: name, fingerprint: name, reason: secret });
      scribe.open('a1', { owner: 'user:0f3a', limit: 7_654_321n });
      scribe.cashIn('a1', 1_234_567n);
      scribe.open('a2');
      const payment = scribe.p2p('a1', 'a2', 1n, { upTo: 'AUTHORIZED' });
      scribe.fail(payment, secret);
      scribe.must({ type: 'FreezeAccount', accountId: 'a2', ...ids('f') });
      scribe.must({ type: 'UnfreezeAccount', accountId: 'a2', ...ids('u') });
      scribe.must({ type: 'CloseAccount', accountId: 'a2', openPayments: 0, ...ids('c') });
    });
    const bodies = told(units).map(({ body }) => body);
    expect(bodies.map((body) => (JSON.parse(body) as { type: string }).type)).toEqual([
      'account.opened',
      'payment.initiated',
      'payment.authorized',
      'payment.captured',
      'payment.settled',
      'account.opened',
      'payment.initiated',
      'payment.authorized',
      'payment.failed',
      'account.frozen',
      'account.unfrozen',
      'account.closed',
    ]);
    // Principals and correlation ids of the units' meta as well.
    for (const word of ['Lovelace', 'user:', 'service:', 'correlation', '7654321', 'posted', 'limit', 'owner']) {
      expect(
        bodies.filter((body) => body.includes(word)),
        word,
      ).toEqual([]);
    }
  });

  test.prop([randomSteps], { numRuns: 40 })(
    'of any history fits its schema, in order, once, the same again',
    async (steps) => {
      const units = await unitsOf((scribe) => {
        openForRandom(scribe);
        steps.forEach((step, index) => runStep(scribe, step, String(index)));
      });
      const events = told(units);
      expect(events.map(mistakesIn).filter((mistake) => mistake !== undefined)).toEqual([]);
      expect(new Set(events.map(({ envelope }) => envelope.id)).size).toBe(events.length);
      const lasts = new Map<string, number>();
      for (const { envelope } of events) {
        expect(envelope.sequence).toBeGreaterThan(lasts.get(envelope.subject) ?? 0);
        lasts.set(envelope.subject, envelope.sequence);
      }
      expect(told(units)).toEqual(events);
    },
  );

  it('is every type of the catalog, in some history', async () => {
    const units = await unitsOf((scribe) => {
      const ids = (name: string) => ({ commandId: name, fingerprint: name, reason: 'r' });
      openForRandom(scribe);
      scribe.must({ type: 'FreezeAccount', accountId: 'bob', ...ids('f') });
      scribe.must({ type: 'UnfreezeAccount', accountId: 'bob', ...ids('u') });
      scribe.must({ type: 'CloseAccount', accountId: 'bob', openPayments: 0, ...ids('c') });
      scribe.cashIn('alice', 1_000n);
      scribe.p2p('alice', 'carol', 5_000n);
      scribe.run({
        type: 'CreatePayout',
        ...ids('p'),
        payoutId: 'p',
        amount: 10n ** 12n,
        currency: 'XOF',
        payer: 'treasury',
        provider: 'bank:AB',
        beneficiary: 'b1',
        sliceMin: 1n,
        sliceMax: 10n ** 12n,
        expiresAt: new Date(scribe.at + 60_000).toISOString(),
      });
      const original = scribe.merchant('alice', 'shop', 600n);
      scribe.reverse(scribe.pay({ kind: 'REFUND', original, amount: 100n, upTo: 'AUTHORIZED' }));
    });
    const random = fc.sample(randomSteps, { numRuns: 600, seed: 11 });
    for (const steps of random) {
      units.push(
        ...(await unitsOf((scribe) => {
          openForRandom(scribe);
          steps.forEach((step, index) => runStep(scribe, step, String(index)));
          const paymentId = scribe.pay({
            kind: 'CASH_IN',
            payee: 'alice',
            amount: 3n,
            provider: 'bank:AB',
            upTo: 'CAPTURED',
          });
          scribe.at += 9 * 86_400_000;
          scribe.run({ type: 'MeetSettlement', commandId: 'due', fingerprint: 'due', paymentId });
        })),
      );
    }
    const types = new Set(told(units).map(({ envelope: { type, version } }) => `${type}.v${version}`));
    expect(Object.keys(allSchemas()).filter((name) => !types.has(name))).toEqual([]);
  });
});
