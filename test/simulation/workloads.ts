import { commandIdOf } from '../../src/kernel/ids.ts';
import type { KoraRequest, PayRequest } from '../../src/actors/requests.ts';
import type { Operation, Scenario } from './scenario.ts';
import { Random } from './world/random.ts';
import { calm, rough, type Weather } from './world/weather.ts';

export const workloads = [
  'day',
  'hot wallet',
  'everyone pays everyone',
  'adversarial retries',
  'racing refunds',
] as const;
type Workload = (typeof workloads)[number];

/** Everything of a run that its seed decides beforehand. */
export function scenarioOf(seed: number): Scenario {
  const random = new Random(`scenario ${seed}`);
  const workload = workloads[seed % workloads.length] as Workload;
  const machines = random.pick([1, 2, 2, 2, 3]);
  const author = new Author(random, random.pick([600, 2_000, 6_000]));
  author.open(workload);
  for (let left = random.whole(15, 45); left > 0; left--) steps[workload](author);
  author.watchers();
  if (random.chance(0.85)) author.faults(machines);
  return {
    seed,
    workload,
    machines,
    weather: weatherOf(random),
    terms: { holdMs: random.pick([300, 2_000, 20_000]), settleAfterMs: random.pick([200, 5_000]) },
    residentsMax: random.pick([4, 12, 1_000]),
    bufferedBytesMax: random.pick([2_000, 20_000, 1_000_000]),
    operations: author.operations.sort((one, other) => one.atMs - other.atMs),
  };
}

/** Every trouble by itself, all of them, or none. */
function weatherOf(random: Random): Weather {
  const share = random.pick([0, 0.3, 1, 1, 2]);
  const names = Object.keys(rough) as (keyof Weather)[];
  const weather: Record<keyof Weather, number> = { ...calm };
  const isMixed = random.chance(0.5);
  for (const name of names) if (!isMixed || random.chance(0.5)) weather[name] = Math.min(0.6, rough[name] * share);
  return weather;
}

type PayBody = Omit<PayRequest, 'type' | 'idempotencyKey' | 'currency' | 'upTo'> & { upTo?: PayRequest['upTo'] };

/** Writes the operations of a run. */
class Author {
  readonly random: Random;
  readonly operations: Operation[] = [];
  readonly customers = ['ada', 'ben', 'cyd', 'dan'];
  readonly merchants = ['shop', 'taxi'];
  /** Payments that were asked for, by kind: later steps may be on them, whatever became of them. */
  readonly asked: { readonly id: string; readonly kind: string; readonly atMs: number }[] = [];
  readonly keys: string[] = [];
  #names = 0;
  readonly #lengthMs: number;

  constructor(random: Random, lengthMs: number) {
    this.random = random;
    this.#lengthMs = lengthMs;
  }

  /** Wallets, and money in them. */
  open(workload: Workload): void {
    const { random } = this;
    const limit = random.chance(0.3) ? 50n : 0n;
    const open = (accountId: string, more: object): void => {
      const request = { type: 'OpenAccount', currency: 'XOF', accountId, ...more } as const;
      this.command({ ...request, walletType: 'customer', ...more, idempotencyKey: `open ${accountId}` }, 1);
    };
    for (const id of this.customers) open(id, { limit });
    for (const id of this.merchants) open(id, { walletType: 'merchant', feeBps: random.pick([0, 33, 250]) });
    open('till', { walletType: 'treasury' });
    const amount = workload === 'everyone pays everyone' ? 60n : 300n;
    for (const id of [...this.customers, ...this.merchants]) {
      this.command(
        this.request({ kind: 'CASH_IN', payee: id, provider: 'cash', amount, upTo: 'SETTLED' }, `fund ${id}`),
        60,
      );
    }
  }

  anyTime(): number {
    return 150 + this.random.next() * this.#lengthMs;
  }

  key(): string {
    const key = `k${this.keys.length}`;
    this.keys.push(key);
    return key;
  }

  request(body: PayBody, idempotencyKey = this.key()): PayRequest {
    return { type: 'Pay', currency: 'XOF', upTo: 'SETTLED', ...body, idempotencyKey };
  }

  command(request: KoraRequest, atMs = this.anyTime(), principal = 'service:shop'): void {
    const { random } = this;
    const again = random.chance(0.2) ? random.whole(1, 2) : 0;
    const tries = random.chance(0.1) ? 1 : 12;
    const name = `c${this.#names++}`;
    this.operations.push({ do: 'command', atMs, name, request, principal, tries, again });
    if (request.type === 'Pay') {
      this.asked.push({ id: commandIdOf('kora', principal, request.idempotencyKey), kind: request.kind, atMs });
    }
  }

  /** A payment of a kind that goes as far as chance says, and steps on it, in time and out of it. */
  payment(
    body: PayBody,
    upTo: PayRequest['upTo'] = this.random.pick(['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED']),
  ): void {
    const { random } = this;
    const atMs = this.anyTime();
    this.command(this.request({ ...body, upTo }), atMs);
    const paymentId = this.asked.at(-1)?.id ?? '';
    for (
      let steps = random.weighted({ none: 2, one: 3, two: 3 }) === 'none' ? 0 : random.whole(1, 3);
      steps > 0;
      steps--
    ) {
      this.step(paymentId, atMs + random.next() * random.pick([20, 1_500]), body.amount);
    }
  }

  step(paymentId: string, atMs = this.anyTime(), amount = 30n, idempotencyKey = this.key()): void {
    const { random } = this;
    const on = { paymentId, idempotencyKey };
    const part = random.pick([amount, amount / 2n + 1n, amount / 3n + 1n, amount + 1n]);
    const request = random.pick<KoraRequest>([
      { type: 'Authorize', ...on },
      { type: 'Capture', ...on },
      { type: 'Capture', ...on, amount: part },
      { type: 'Settle', ...on },
      { type: 'Settle', ...on, providerFee: BigInt(random.whole(0, 2)) },
      { type: 'Fail', ...on, reason: 'provider said no' },
      { type: 'Reverse', ...on, reason: 'requested' },
      { type: 'Reverse', ...on, reason: 'provider' },
    ]);
    this.command(request, atMs);
  }

  amount(): bigint {
    return BigInt(this.random.pick([this.random.whole(1, 20), this.random.whole(1, 120), this.random.whole(50, 400)]));
  }

  /** Mostly a payment of that kind. */
  pastOf(...kinds: string[]): string {
    const fitting = this.asked.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
    return this.random.pick(fitting.length === 0 ? this.asked : fitting).id;
  }

  watchers(): void {
    const { random } = this;
    for (let left = random.whole(0, 3); left > 0; left--) {
      const all = [
        'payments',
        ...this.customers.map((id) => `account/${id}`),
        'account/shop',
        'account/receivable:cash:XOF',
        'account/clearing:XOF',
        `payment/${this.pastOf()}`,
        `payment/${this.pastOf('MERCHANT')}`,
      ];
      const topics = all.filter((topic, index) => random.chance(0.5) && all.indexOf(topic) === index);
      if (topics.length > 0)
        this.operations.push({ do: 'watch', atMs: this.anyTime() - 100, name: `w${left}`, topics });
    }
  }

  faults(machines: number): void {
    const { random } = this;
    for (let left = random.whole(1, 6); left > 0; left--) {
      const machine = random.whole(0, machines - 1);
      const at = { atMs: this.anyTime(), name: `f${left}` };
      const downMs = random.pick([5, 100, 1_500]);
      const clockOf = random.chance(0.2) ? 'store' : machine;
      const what = random.weighted({ kill: 5, stop: 1, 'kill projector': 3, 'turn clock': 2, 'fill disk': 1 });
      if (what === 'turn clock') {
        const jumpMs = random.pick([-5_000, -300, 300, 5_000, 60_000]);
        this.operations.push({ ...at, do: what, machine: clockOf, jumpMs });
      } else if (what === 'fill disk') this.operations.push({ ...at, do: what, fullMs: random.whole(100, 2_000) });
      else this.operations.push({ ...at, do: what, machine, downMs });
    }
  }

  look(): void {
    const id = this.random.pick(this.customers);
    const what = this.random.chance(0.5)
      ? ({ what: 'account', id } as const)
      : ({ what: 'payment', id: this.pastOf() } as const);
    this.operations.push({ do: 'look', atMs: this.anyTime(), name: `l${this.#names++}`, ...what });
  }

  /** What an operator does to accounts. */
  administer(accountId = this.random.pick([...this.customers, ...this.merchants])): void {
    const { random } = this;
    const on = { accountId, reason: 'checked', idempotencyKey: this.key() };
    const atMs = this.anyTime();
    const type = random.pick(['FreezeAccount', 'CloseAccount', 'SetLimit'] as const);
    if (type === 'SetLimit') this.command({ type, ...on, limit: BigInt(random.whole(0, 80)) }, atMs);
    else this.command({ type, ...on }, atMs);
    if (type !== 'FreezeAccount') return;
    const later = atMs + random.next() * 2_000;
    this.command({ ...on, type: 'UnfreezeAccount', idempotencyKey: this.key() }, later);
  }
}

function lifelike(author: Author): void {
  const { random } = author;
  const [payer, payee] = [random.pick(author.customers), random.pick([...author.customers, ...author.merchants])];
  const amount = author.amount();
  const kind = random.weighted({
    P2P: 4,
    CASH_IN: 3,
    CASH_OUT: 3,
    MERCHANT: 5,
    REFUND: 3,
    FUNDING: 1,
    other: 2,
    look: 1,
  });
  switch (kind) {
    case 'P2P':
      author.payment({ kind, amount, payer, payee });
      return;
    case 'CASH_IN':
      author.payment({ kind, amount, payee, provider: 'cash' });
      return;
    case 'CASH_OUT':
      author.payment({ kind, amount, payer, provider: 'bank:AB' });
      return;
    case 'MERCHANT':
      author.payment({ kind, amount, payer, payee: random.pick(author.merchants) });
      return;
    case 'REFUND':
      author.payment({ kind, amount, original: author.pastOf('MERCHANT') });
      return;
    case 'FUNDING':
      author.payment({ kind, amount, payee: 'till', provider: 'bank:AB' });
      return;
    case 'other':
      if (random.chance(0.5)) author.administer();
      else author.step(author.pastOf());
      return;
    case 'look':
      author.look();
      return;
  }
}

/** One more piece of a workload. */
const steps: Readonly<Record<Workload, (author: Author) => void>> = {
  day: lifelike,
  'hot wallet': (author) => {
    const { random } = author;
    const amount = BigInt(random.whole(1, 90));
    const other = random.pick(['ben', 'cyd', 'dan', 'shop']);
    if (random.chance(0.1)) author.look();
    else if (random.chance(0.7)) author.payment({ kind: 'P2P', amount, payer: 'ada', payee: other });
    else if (other === 'shop') author.payment({ kind: 'MERCHANT', amount, payer: 'ada', payee: other });
    else author.command(author.request({ kind: 'P2P', amount, payer: other, payee: 'ada' }));
  },
  'everyone pays everyone': (author) => {
    const { random } = author;
    const everyone = [...author.customers, ...author.merchants];
    const body = { kind: 'P2P', payer: random.pick(everyone), payee: random.pick(everyone) } as const;
    author.payment({ ...body, amount: BigInt(random.whole(1, 70)) }, random.pick(['SETTLED', 'SETTLED', 'AUTHORIZED']));
  },
  'adversarial retries': (author) => {
    const { random } = author;
    const what = random.weighted({ lifelike: 4, again: 4, stolen: 2, step: 4, account: 1 });
    const idempotencyKey = author.keys.length === 0 ? author.key() : random.pick(author.keys.slice(-12));
    const past = author.operations.filter((one) => one.do === 'command').map(({ request }) => request);
    switch (what) {
      case 'lifelike':
        lifelike(author);
        return;
      case 'again':
        // The same key and body once more, or the body of one under the key of another.
        author.command({ ...random.pick(past), ...(random.chance(0.5) && { idempotencyKey }) });
        return;
      case 'stolen':
        author.command(random.pick(past), undefined, 'service:other');
        return;
      case 'step':
        author.step(author.pastOf(), undefined, undefined, idempotencyKey);
        return;
      case 'account': {
        const accountId = random.pick(author.customers);
        author.command({ type: 'SetLimit', accountId, limit: 10n, reason: 'checked', idempotencyKey });
        return;
      }
    }
  },
  'racing refunds': (author) => {
    const { random } = author;
    const payer = random.pick(author.customers);
    const amount = BigInt(random.whole(20, 120));
    const originals = author.asked.filter(({ kind }) => kind === 'MERCHANT');
    if (originals.length < 3 && random.chance(0.6)) {
      author.command(author.request({ kind: 'MERCHANT', amount, payer, payee: random.pick(author.merchants) }), 130);
    } else if (random.chance(0.8)) {
      author.payment({ kind: 'REFUND', amount: amount / 2n, original: author.pastOf('MERCHANT') });
    } else lifelike(author);
  },
};
