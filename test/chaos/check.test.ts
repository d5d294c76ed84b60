import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryLog, type RecordedUnit } from '../../eventstore/index.ts';
import type { KoraRequest } from '../../src/actors/requests.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { eventsOf } from '../stream/support/oracle.ts';
import { Check, type Dealt, openingCorrelation, type Watched } from './check.ts';
import type { Movement } from './oracle.ts';
import { type Answer, asker, currency, type Order, type Pay, paymentOf } from './orders.ts';

// The check of the chaos can fail: whatever a crash could do to the log, or to what clients were told, is reported.

const opening = new Map([
  ['ada', { posted: 1_000n, held: 0n }],
  ['ben', { posted: 0n, held: 0n }],
]);
const pay: Pay = { type: 'Pay', key: 'one', kind: 'P2P', payer: 'ada', payee: 'ben', amount: 100n, upTo: 'SETTLED' };
const hold: Pay = { ...pay, key: 'two', upTo: 'AUTHORIZED' };
const capture = { type: 'Capture', key: 'two+', of: hold, amount: 60n } as const;
const tooMuch: Pay = { ...pay, key: 'three', amount: 5_000n };
const orders = [pay, hold, capture, tooMuch] as const;

let units: RecordedUnit[];
let dealt: Dealt[];

beforeAll(async () => {
  const log = new MemoryLog();
  const runtime = new Runtime({ log });
  const caller = { tenant: asker.tenant, principal: asker.principal };
  const run = (request: KoraRequest, correlationId: string) => runtime.execute(request, { ...caller, correlationId });
  for (const accountId of ['ada', 'ben']) {
    const open = { type: 'OpenAccount', idempotencyKey: `open ${accountId}`, accountId, currency } as const;
    await run({ ...open, walletType: 'customer' }, openingCorrelation);
  }
  const fund = { type: 'Pay', idempotencyKey: 'fund', kind: 'CASH_IN', payee: 'ada', provider: 'cash' } as const;
  await run({ ...fund, amount: 1_000n, currency, upTo: 'SETTLED' }, openingCorrelation);
  dealt = [];
  for (const order of orders) dealt.push({ order, answer: await answerTo(order, (request) => run(request, 'a')) });
  units = [];
  for await (const unit of log.readAll(0)) units.push(unit);
});

async function answerTo(
  order: (typeof orders)[number],
  run: (request: KoraRequest) => ReturnType<Runtime['execute']>,
): Promise<Answer> {
  const outcome = await run(requestOf(order));
  const { paymentId = '', status = '', version = 0, captured = '' } = outcome.payment ?? {};
  return outcome.ok
    ? { done: true, paymentId, status, version, captured }
    : { done: false, refusal: outcome.refusal.code, paymentId };
}

function requestOf(order: (typeof orders)[number]): KoraRequest {
  if (order.type === 'Capture') {
    return { type: 'Capture', idempotencyKey: order.key, paymentId: paymentOf(order), amount: order.amount };
  }
  const { key, ...body } = order;
  return { ...body, idempotencyKey: key, currency };
}

/** The check of a log with these units. */
function checkOf(log: readonly RecordedUnit[]): Check {
  const check = new Check({ topics: ['payments', 'account/ben'], opening });
  for (const unit of log) check.take(unit);
  return check;
}

function watchedOf(topic: string, after = 0): Watched {
  const events = units.flatMap((unit) => eventsOf(unit, topic)).filter(({ position }) => position > after);
  return { watcher: 'somebody', topic, after, events };
}

const wallets = new Map<string, Movement>([
  ['ada', { posted: 840n, held: 0n }],
  ['ben', { posted: 160n, held: 0n }],
]);

/** The unit of an order. */
function unitOf(order: (typeof orders)[number]): RecordedUnit {
  const index = orders.indexOf(order);
  return units[units.length - orders.length + index] as RecordedUnit;
}
const without = (unit: RecordedUnit): RecordedUnit[] => units.filter((other) => other !== unit);

test('finds nothing wrong where nothing is', () => {
  const watched = [watchedOf('payments'), watchedOf('account/ben', 3)];
  expect(checkOf(units).judge(dealt, watched, [{ process: 'kora-1', wallets }])).toEqual([]);
});

test('what was given up may be there or not', () => {
  const givenUp = dealt.map((one) => ({ ...one, answer: undefined }));
  expect(checkOf(units).judge(givenUp)).toEqual([]);
  expect(checkOf(without(unitOf(tooMuch))).judge(givenUp)).toEqual([]);
});

describe('of the log it reports', () => {
  test('a command that was acknowledged and is missing', () => {
    const findings = checkOf(without(unitOf(tooMuch))).judge(dealt);
    expect(findings).toEqual([expect.stringMatching(/^Pay three .* was acknowledged, and is not in the log$/)]);
  });

  test('one in the middle that is missing, and the hole where it was', () => {
    const findings = checkOf(without(unitOf(pay))).judge(dealt);
    expect(findings).toContainEqual(expect.stringMatching(/^position \d+ follows position \d+ in the log$/));
    expect(findings).toContainEqual(expect.stringMatching(/^Pay one .* is not in the log$/));
  });

  test('a command that is there twice', () => {
    const { position, lastPosition } = units.at(-1) as RecordedUnit;
    const unit = unitOf(pay);
    const length = unit.lastPosition - unit.position;
    const again = { ...unit, position: lastPosition + 1, lastPosition: lastPosition + 1 + length };
    expect(again.position).toBeGreaterThan(position);
    const findings = checkOf([...units, again]).judge(dealt);
    expect(findings).toContainEqual(expect.stringMatching(/^Pay one .* is in the log 2 times, at \d+ and \d+$/));
  });

  test.each(['account/ben', `payment/${paymentOf(pay)}`])('half a command: without its row on %s', (stream) => {
    const half = { ...unitOf(pay), rows: unitOf(pay).rows.filter((row) => row.stream !== stream) };
    const findings = checkOf(units.map((unit) => (unit === unitOf(pay) ? half : unit))).judge(dealt);
    expect(findings).toContainEqual(expect.stringMatching(/^the unit at position \d+ breaks an invariant: /));
    expect(findings).toContainEqual(expect.stringMatching(/^Pay one .* is half there/));
  });

  test('half a command that nobody was told of', () => {
    const [payment, ...others] = unitOf(pay).rows;
    const half = { ...unitOf(pay), rows: [{ ...(payment as typeof payment & object), events: [] }, ...others] };
    const givenUp = dealt.map((one) => ({ ...one, answer: undefined }));
    const findings = checkOf(units.map((unit) => (unit === unitOf(pay) ? half : unit))).judge(givenUp);
    expect(findings).toContainEqual(expect.stringMatching(/^Pay one .* is half there, at \d+: no fact$/));
  });

  test('a command that nobody sent', () => {
    const findings = checkOf(units).judge(dealt.filter(({ order }) => order !== tooMuch));
    expect(findings).toEqual([expect.stringMatching(/^the unit at position \d+ is of a command that nobody sent: /)]);
  });
});

describe('of what clients were told it reports', () => {
  const answered = (order: Order, answer: Answer): Dealt[] =>
    dealt.map((one) => (one.order === order ? { order, answer } : one));

  test('a refusal of what was carried out, and the other way round', () => {
    const refused = answered(pay, { done: false, refusal: 'INSUFFICIENT_FUNDS', paymentId: paymentOf(pay) });
    expect(checkOf(units).judge(refused)).toEqual([
      expect.stringMatching(/^Pay one .* was answered .*, and the log says /),
    ]);
    const done = answered(tooMuch, { ...settled, paymentId: paymentOf(tooMuch) });
    expect(checkOf(units).judge(done)).toContainEqual(
      expect.stringMatching(/^Pay three .* and the log says .*Failed$/),
    );
  });

  test('another state, and another payment', () => {
    const findings = checkOf(units).judge(answered(pay, { ...settled, status: 'CAPTURED', paymentId: 'other' }));
    expect(findings).toEqual([
      expect.stringMatching(/^Pay one .* was answered with another payment$/),
      expect.stringMatching(/^Pay one .* was answered with CAPTURED, not SETTLED$/),
    ]);
  });

  test('a balance that the commands do not come to', () => {
    const told = { process: 'kora-1', wallets: new Map([...wallets, ['ben', { posted: 260n, held: 0n }]]) };
    expect(checkOf(units).judge(dealt, [], [told])).toEqual([
      'kora-1 says that ben has 260 and holds 0: 160 and 0 are right',
    ]);
  });

  const settled = { done: true, paymentId: '', status: 'SETTLED', version: 4, captured: '100' } as const;
});

describe('of what a watcher saw it reports', () => {
  const judged = (change: (events: Watched['events']) => Watched['events']): string[] => {
    const watched = watchedOf('payments');
    return checkOf(units).judge(dealt, [{ ...watched, events: change(watched.events) }]);
  };

  test('an event that never came', () => {
    const findings = judged((events) => events.filter((_, index) => index !== 2));
    expect(findings).toEqual([expect.stringMatching(/^somebody on payments: the event at \d+ never came$/)]);
  });

  test('the last one that never came', () => {
    const findings = judged((events) => events.slice(0, -1));
    expect(findings).toEqual([expect.stringMatching(/^somebody on payments: the event at \d+ never came$/)]);
  });

  test('an event that came twice', () => {
    const findings = judged((events) => [...events, ...events.slice(1, 2)]);
    expect(findings).toEqual([expect.stringMatching(/^somebody on payments: the event at \d+ came 2 times$/)]);
  });

  test('events in another order', () => {
    const findings = judged(([first, second, ...rest]) =>
      [second, first, ...rest].filter((event) => event !== undefined),
    );
    expect(findings).toEqual([expect.stringMatching(/^somebody on payments: event 1 is .*, and should be /)]);
  });

  test('an event of another kind than happened', () => {
    const findings = judged(([first, ...rest]) => (first ? [{ ...first, type: 'PaymentFailed' }, ...rest] : []));
    expect(findings).toEqual([expect.stringMatching(/^somebody on payments: event 1 is .*PaymentFailed/)]);
  });
});
