import type { MemoryStore, RecordedUnit } from '../../../eventstore/index.ts';
import type { Caller, KoraRequest } from '../../../src/actors/requests.ts';
import type { Outcome } from '../../../src/actors/runtime.ts';
import { commandIdOf } from '../../../src/kernel/ids.ts';
import type { WalletView } from '../../../src/machines/account/view.ts';
import type { PaymentView } from '../../../src/machines/payment/view.ts';
import type { PayoutView } from '../../../src/machines/payout/view.ts';
import type { MemoryTables } from '../../../src/projections/memory/writer.ts';
import type { ProvidersPlan } from '../world/provider-plan.ts';
import { BreakersModel } from './breakers.ts';
import { expect, type Asked } from './decide.ts';
import { checkDeeds, type Deed } from './deeds.ts';
import type { Draft } from './draft.ts';
import { checkRows } from './end-check.ts';
import { check, Finding } from './finding.ts';
import { linesOf } from './lines.ts';
import { LogCheck } from './log-check.ts';
import type { Word } from './providers.ts';
import { free, History, isLive, type Payment, type Payout, type View, type Wallet } from './state.ts';
import { table } from './table.ts';
import { Words } from './words.ts';

/** What a command in the log has come to. */
interface Applied {
  readonly body: string;
  readonly position: number;
  readonly draft: Draft;
}

/** What an answer may rest on: from when on the request was at work, and by which clock. */
export interface Asking {
  readonly request: KoraRequest;
  readonly caller: Caller;
  readonly clocks: readonly string[];
  /** End of the log when the request came. */
  readonly arrivedAt: number;
}

export interface OracleOptions {
  readonly store: MemoryStore;
  readonly holdMs: number;
  readonly plan: ProvidersPlan;
  /** True time. */
  readonly now: () => number;
  readonly taken: (unit: RecordedUnit) => void;
}

/** Refusals that say nothing of any state. */
const always = ['Overloaded', 'Contended'];

/**
 * What must be true, from the requests alone. It goes along with the log: every unit must be exactly what its request
 * comes to on the state that the log itself had before (so the log's order is an order in which all of it could have
 * happened one after the other); every answer must be of something that is in the log, or a refusal that was right.
 */
export class Oracle {
  readonly wallets = new History<Wallet>();
  readonly payments = new History<Payment>();
  readonly payouts = new History<Payout>();
  readonly breakers: BreakersModel;
  readonly words: Words;
  readonly #log: LogCheck;
  readonly #store: MemoryStore;
  readonly #holdMs: number;
  readonly #plan: ProvidersPlan;
  readonly #bounds = (provider: string) => this.#plan.bounds[provider];
  /** What each payment has posted to accounts that are kept by provider, and to suspense. */
  readonly #books = new Map<string, Map<string, bigint>>();
  /** Payments of which people said what became of them, without having looked. */
  readonly #peoples = new Set<string>();
  /** Command ids of people who have looked. */
  readonly #truthful = new Set<string>();
  readonly #overdue = new Set<string>();
  #checked = 0;
  #position = 0;
  /** By command id: the bodies with which it was asked. */
  readonly #asked = new Map<string, Map<string, KoraRequest>>();
  readonly #applied = new Map<string, Applied>();
  /** Names of wallets that a payment was ever open on: closing them may be refused as a courtesy. */
  readonly #named = new Set<string>();
  readonly #due = new Set<string>();
  readonly #taken: (unit: RecordedUnit) => void;

  constructor({ store, holdMs, plan, now, taken }: OracleOptions) {
    this.#store = store;
    this.#holdMs = holdMs;
    this.#plan = plan;
    this.breakers = new BreakersModel(plan, now);
    this.words = new Words(plan, this.breakers, (id) => this.payments.now(id));
    this.#log = new LogCheck(store);
    this.#taken = taken;
  }

  get position(): number {
    return this.#position;
  }

  get hash(): string {
    return this.#log.hash;
  }

  /** To be told before a request can have any effect. */
  asked(request: KoraRequest, caller: Caller): string {
    const id = commandIdOf(caller.tenant, caller.principal, request.idempotencyKey);
    const bodies = this.#asked.get(id) ?? new Map<string, KoraRequest>();
    this.#asked.set(id, bodies.set(bodyOf(request), request));
    return id;
  }

  /** What somebody is about to ask for is so: they have looked at the provider's own books. */
  truthful(id: string): void {
    this.#truthful.add(id);
  }

  /** Takes what is new in the log. */
  advance(): void {
    if (this.#checked === this.#store.units.length) return;
    for (; this.#checked < this.#store.units.length; this.#checked++) {
      const unit = this.#store.units[this.#checked] as RecordedUnit;
      this.#log.visit(unit);
      this.#take(unit);
      this.#position = unit.lastPosition;
      this.#taken(unit);
    }
    this.#log.chain();
  }

  /** Whether a hold must still end, or a captured payment be settled, by itself. */
  get due(): readonly string[] {
    return [...this.#due];
  }

  get isAnythingDue(): boolean {
    return this.#due.size > 0;
  }

  /** When everything is through. */
  end(acknowledged: ReadonlySet<string>, tables: MemoryTables, deeds: readonly Deed[]): void {
    for (const id of acknowledged) {
      check(this.#applied.has(id), '7 durable', () => `${id} was acknowledged and is not in the log`);
    }
    checkRows(this.payments.all(), this.wallets.all(), tables);
    const nothing = new Map<string, bigint>();
    const booksOf = (id: string): ReadonlyMap<string, bigint> => this.#books.get(id) ?? nothing;
    checkDeeds(this.#plan, this.payments.all(), deeds, booksOf, (id) => this.#peoples.has(id));
    this.#log.books.whole(tables);
  }

  /** An answer leaves a process. */
  answered(asking: Asking, outcome: Outcome): void {
    const { request, caller } = asking;
    const id = commandIdOf(caller.tenant, caller.principal, request.idempotencyKey);
    const applied = this.#applied.get(id);
    const body = bodyOf(request);
    const code = outcome.ok ? undefined : outcome.refusal.code;
    if (request.type === 'Resolve' && outcome.ok && outcome.duplicate && applied?.body !== body) {
      // What is known already leaves nothing, not even the key.
      const isRight = this.#wasRight(asking, id, 'Nothing', [asking.arrivedAt, this.#position]);
      check(isRight, '7 answer', () => `${nameOf(request)} is said to leave nothing`);
      return;
    }
    const recorded = outcome.ok || outcome.payment !== undefined || outcome.payout !== undefined;
    if (recorded) {
      check(
        applied !== undefined,
        '7 durable',
        () => `${nameOf(request)} was answered ${code ?? 'ok'} and is not in the log`,
      );
      check(applied.body === body, '7 key', () => `${nameOf(request)} was answered as ${applied.body}`);
      check(
        applied.draft.recorded === code,
        '7 answer',
        () => `${nameOf(request)} was answered ${code ?? 'ok'}, the log says ${applied.draft.recorded ?? 'ok'}`,
      );
      if (outcome.position !== undefined) {
        const at = outcome.position;
        check(
          at === applied.position,
          '7 position',
          () => `${nameOf(request)} is at ${applied.position}, not at ${at}`,
        );
      }
      if (outcome.payment !== undefined) this.#samePayment(outcome.payment, applied.draft.payment);
      if (outcome.payout !== undefined) this.#samePayout(outcome.payout, applied.draft);
      if (outcome.ok && outcome.account !== undefined) {
        this.#sameWallet(outcome.account, applied.draft.wallets.get(outcome.account.accountId));
      }
      return;
    }
    if (code === undefined || always.includes(code)) return;
    if (code === 'IdempotencyConflict') {
      check(
        applied !== undefined && applied.body !== body,
        '7 key',
        () => `${nameOf(request)} is said to be in conflict`,
      );
      return;
    }
    // Another copy of it may have been carried out since this one was looked at, but not before it came.
    const isOwn = applied?.body === body;
    check(
      !isOwn || applied.position > asking.arrivedAt,
      '7 answer',
      () => `${nameOf(request)} was refused as ${code}, and was in the log`,
    );
    check(
      this.#wasRight(asking, id, code, [asking.arrivedAt, isOwn ? applied.position - 1 : this.#position]),
      '3 refusal',
      () => `${nameOf(request)} was refused as ${code} on no state that was durable meanwhile`,
    );
  }

  /** A payment as somebody was shown it: as it is or was in the log. */
  shownPayment(id: string, view: PaymentView | undefined): void {
    if (view === undefined) return;
    this.#samePayment(
      view,
      this.payments.find(id, ({ version }) => version === view.version),
    );
  }

  shownWallet(id: string, view: WalletView | undefined): void {
    if (view === undefined) return;
    this.#sameWallet(
      view,
      this.wallets.find(id, ({ version }) => version === view.version),
    );
  }

  /** The snapshot of a topic, with all the events before it. */
  shownOnTopic(topic: string, state: Record<string, unknown>, before: readonly object[]): void {
    const id = topic.slice(topic.indexOf('/') + 1);
    if (topic.startsWith('payment/')) this.shownPayment(id, state as unknown as PaymentView);
    else if (!id.includes(':')) this.shownWallet(id, state as unknown as WalletView);
    else {
      const posted = before.reduce((sum, entry) => sum + BigInt((entry as { amount: string }).amount), 0n);
      check(
        state['posted'] === posted.toString(),
        '8 snapshot',
        () => `${topic} was shown as ${String(state['posted'])}, its entries come to ${posted}`,
      );
    }
  }

  #take(unit: RecordedUnit): void {
    const id = unit.meta.commandId ?? '';
    if (id.startsWith('breaker:')) {
      for (const row of unit.rows) this.breakers.take(row, unit.meta.at);
      return;
    }
    check(
      !this.#applied.has(id),
      '7 once',
      () => `command ${id} was carried out twice, the second time at ${unit.position}`,
    );
    const actual = new Map(unit.rows.map((row) => [row.stream as string, linesOf(row)]));
    let why = 'nobody asked for it';
    for (const [body, asked] of this.#candidates(id, unit)) {
      for (const view of this.#viewsOf(unit, asked)) {
        const expected = expect(asked, id, unit.meta.at, view, this.#bounds);
        const difference =
          expected.refused === undefined ? differenceOf(expected.lines, actual) : `refused as ${expected.refused}`;
        if (expected.refused === undefined && difference === undefined) {
          this.#applied.set(id, { body, position: unit.lastPosition, draft: expected });
          this.#noteAsked(asked, id);
          this.#put(unit, expected);
          return;
        }
        why = `${body}: ${difference ?? ''}`;
      }
    }
    throw new Finding('3 unit', `the unit at ${unit.position} (${id}) is not what was asked: ${why}`);
  }

  /**
   * The state before the unit. A wallet that the unit leaves alone may have been seen as it was before: nothing but its
   * being there and being open is asked of it, and closing it is a courtesy to payments on their way.
   */
  *#viewsOf(unit: RecordedUnit, asked: Asked): Generator<View> {
    const now = this.#viewAt(undefined);
    yield now;
    const { wallets, payouts } = this.#involved(asked);
    const original = 'original' in asked ? asked.original : undefined;
    if (original !== undefined && !unit.rows.some(({ stream }) => stream === `payment/${original}`)) {
      for (const position of this.payments.changes(original))
        yield { ...now, payment: (one) => (one === original ? this.payments.at(one, position) : now.payment(one)) };
    }
    // A slice that a cancel leaves alone may have been with a provider when it was looked at.
    if (asked.type === 'CancelPayout') {
      const isLeft = (id: string): boolean => !unit.rows.some(({ stream }) => stream === `payment/${id}`);
      const wasLive = (id: string): Payment | undefined => this.payments.find(id, isLive);
      yield { ...now, payment: (id) => (isLeft(id) ? (wasLive(id) ?? now.payment(id)) : now.payment(id)) };
    }
    for (const id of payouts) {
      if (unit.rows.some(({ stream }) => stream === `payout/${id}`)) continue;
      for (const position of this.payouts.changes(id))
        yield { ...now, payout: (one) => (one === id ? this.payouts.at(id, position) : now.payout(one)) };
    }
    const isTouched = (id: string): boolean => unit.rows.some(({ stream }) => stream === `account/${id}`);
    for (const id of wallets) {
      if (isTouched(id)) continue;
      for (const position of this.wallets.changes(id)) {
        yield { ...now, wallet: (one) => (one === id ? this.wallets.at(id, position) : now.wallet(one)) };
      }
    }
  }

  /** What people say of a payment's money without having looked is not held against providers. */
  #noteAsked(asked: Asked, id: string): void {
    if (asked.type === 'Pay' && (asked.upTo === 'CAPTURED' || asked.upTo === 'SETTLED')) this.#peoples.add(id);
    if (!('paymentId' in asked)) return;
    const { type, paymentId } = asked;
    if (type === 'SettleDue') this.#overdue.add(paymentId);
    const isGiveBack = type === 'Reverse' && this.payments.now(paymentId)?.status === 'CAPTURED';
    const isGuess = type === 'Resolve' && !this.#truthful.has(id);
    if (type === 'Capture' || type === 'Settle' || isGiveBack || isGuess) this.#peoples.add(paymentId);
  }

  #addToBooks(unit: RecordedUnit): void {
    for (const { stream, events } of unit.rows) {
      if (!stream.startsWith('system/')) continue;
      const [sort = '', ...rest] = stream.slice('system/'.length).split(':');
      const account = [sort, ...rest.slice(0, -1)].join(':');
      for (const { data } of events) {
        const { paymentId, amount } = data as { paymentId: string; amount: string };
        let books = this.#books.get(paymentId);
        if (books === undefined) this.#books.set(paymentId, (books = new Map<string, bigint>()));
        books.set(account, (books.get(account) ?? 0n) + BigInt(amount));
      }
    }
  }

  #isDue({ id, kind, status, provider = '', stage, expiresAt, ...rest }: Payment): boolean {
    if (status === 'CAPTURED') {
      if (!table[kind].provider || !this.#overdue.has(id)) return true;
      // Who collected it settles it; unless nobody did, and people said so.
      if (stage === 'settled' && !this.#peoples.has(id)) return true;
    }
    if (isLive({ stage, attempts: rest.attempts })) return true;
    if (status !== 'AUTHORIZED') return false;
    return expiresAt !== undefined || (table[kind].captureAt !== undefined && provider in this.#plan.routes);
  }

  #put(unit: RecordedUnit, { wallets, payments, payouts }: Draft): void {
    this.#addToBooks(unit);
    for (const [id, payout] of payouts) this.payouts.put(id, unit.lastPosition, payout);
    for (const [id, wallet] of wallets) this.wallets.put(id, unit.lastPosition, wallet);
    for (const [id, payment] of payments) {
      // When a hold ends is the product's to say: the model takes it from the fact, and holds captures to it.
      const expiresAt = instantIn(unit, id, 'PaymentAuthorized', 'expiresAt') ?? payment.expiresAt;
      const settlesAt = instantIn(unit, id, 'PaymentCaptured', 'settlesAt') ?? payment.settlesAt;
      const state = { ...payment, expiresAt, settlesAt };
      this.payments.put(id, unit.lastPosition, state);
      if (this.#isDue(state)) this.#due.add(id);
      else this.#due.delete(id);
      for (const party of [payment.payer, payment.payee]) if (party !== undefined) this.#named.add(party);
    }
  }

  *#candidates(id: string, unit: RecordedUnit): Iterable<readonly [string, Asked]> {
    const [machine, paymentId = '', kind = '', said = ''] = id.split(':');
    if (machine === 'deadline') {
      yield [id, kind === 'expire' ? { type: 'Expire', paymentId } : { type: 'SettleDue', paymentId }];
    } else if (machine === 'instruct') {
      yield [id, this.words.intentIn(unit, paymentId)];
    } else if (machine === 'outcome') {
      const instruction = Number(kind);
      for (const word of this.words.of(paymentId, instruction, said as Word['said'], unit.meta.at))
        yield [id, { type: 'Hear', paymentId, instruction, word }];
    } else if (machine === 'undelivered') {
      yield [
        id,
        { type: 'Fail', paymentId, idempotencyKey: '', reason: this.words.undelivered(unit, paymentId, this.payouts) },
      ];
    } else yield* this.#asked.get(id) ?? [];
  }

  /** @param position undefined: now */
  #viewAt(position: number | undefined, payments = position): View {
    return {
      wallet: (id) => (position === undefined ? this.wallets.now(id) : this.wallets.at(id, position)),
      payment: (id) => (payments === undefined ? this.payments.now(id) : this.payments.at(id, payments)),
      payout: (id) => (payments === undefined ? this.payouts.now(id) : this.payouts.at(id, payments)),
    };
  }

  /**
   * Whether the refusal was right on some durable state between the request and the answer. A payment and its wallets may
   * have been seen at two positions of that time.
   */
  #wasRight({ request, clocks }: Asking, id: string, code: string, [since, until]: readonly [number, number]): boolean {
    const { type } = request;
    // A hold's end is counted from when the request came; a decision that is later than that places no hold.
    const isLate = Math.abs(Date.parse(clocks[0] ?? '') - Date.parse(clocks[1] ?? '')) >= this.#holdMs;
    if (code === 'Invalid' && isLate && ['Pay', 'Authorize', 'CreatePayout'].includes(type)) return true;
    if (code === 'AccountNotEmpty' && 'accountId' in request && this.#named.has(request.accountId ?? '')) return true;
    const right = (view: View): boolean =>
      clocks.some((at) => expect(request, id, at, view, this.#bounds).refused === code);
    if (right(this.#viewAt(until))) return true;
    const { payments, wallets } = this.#involved(request);
    const isIn = (position: number): boolean => position > since && position <= until;
    const ofPayments = [since, ...payments.flatMap((one) => this.payments.changes(one)).filter(isIn)];
    const ofWallets = [since, ...wallets.flatMap((one) => this.wallets.changes(one)).filter(isIn)];
    for (const position of [...ofPayments, ...ofWallets]) if (right(this.#viewAt(position))) return true;
    // Slices are looked at one by one, each perhaps at another moment.
    if (request.type === 'CancelPayout') {
      const notPending = (id: string): Payment | undefined =>
        [since, ...this.payments.changes(id).filter(isIn)]
          .map((position) => this.payments.at(id, position))
          .find((slice) => slice !== undefined && (slice.status !== 'AUTHORIZED' || isLive(slice)));
      const seen: View = { ...this.#viewAt(until), payment: (id) => notPending(id) ?? this.payments.at(id, until) };
      if (right(seen)) return true;
    }
    for (const one of ofWallets) for (const other of ofPayments) if (right(this.#viewAt(one, other))) return true;
    return false;
  }

  #involved(request: Asked): { payments: string[]; wallets: string[]; payouts: string[] } {
    const said = request as {
      paymentId?: string;
      original?: string;
      payer?: string;
      payee?: string;
      accountId?: string;
      payoutId?: string;
    };
    const payments = [said.paymentId, said.original].filter((id) => id !== undefined);
    if (said.payoutId !== undefined) payments.push(...(this.payouts.now(said.payoutId)?.slices ?? []));
    const named = payments.map((id) => this.payments.now(id));
    for (const payment of named) if (payment?.original !== undefined) payments.push(payment.original);
    const wallets = [said.payer, said.payee, said.accountId, ...named.flatMap((one) => [one?.payer, one?.payee])];
    const payouts = [said.payoutId, ...named.map((one) => one?.payout)];
    return {
      payments,
      wallets: wallets.filter((id) => id !== undefined),
      payouts: payouts.filter((id) => id !== undefined),
    };
  }

  #samePayment(view: PaymentView, state: Payment | undefined): void {
    const shown = [
      view.status,
      view.version,
      view.authorized,
      view.captured,
      view.refunded,
      view.fee,
      view.providerFee,
    ];
    const true_ = state && [
      state.status,
      state.version,
      state.authorized,
      state.captured,
      state.refunded,
      state.fee,
      state.providerFee,
    ];
    check(
      String(shown) === String(true_),
      '7 view',
      () => `payment ${view.paymentId} was shown as ${String(shown)}, the log has ${String(true_)}`,
    );
  }

  #samePayout(view: PayoutView, { payouts }: Draft): void {
    const state = payouts.get(view.payoutId);
    const shown = [view.state, view.version, view.amount, ...view.slices.map(({ paymentId }) => paymentId)];
    const true_ = state && [state.status, state.version, state.amount, ...state.slices];
    check(
      String(shown) === String(true_),
      '7 view',
      () => `payout ${view.payoutId} was shown as ${String(shown)}, the log has ${String(true_)}`,
    );
  }

  #sameWallet(view: WalletView, state: Wallet | undefined): void {
    const shown = [view.status, view.version, view.posted, view.held, view.limit, view.available];
    const true_ = state && [state.status, state.version, state.posted, state.held, state.limit, free(state)];
    check(
      String(shown) === String(true_),
      '7 view',
      () => `wallet ${view.accountId} was shown as ${String(shown)}, the log has ${String(true_)}`,
    );
  }
}

function instantIn(unit: RecordedUnit, payment: string, type: string, field: string): string | undefined {
  const row = unit.rows.find(({ stream }) => stream === `payment/${payment}`);
  const fact = row?.events.find((event) => event.type === type);
  return (fact?.data as Record<string, string> | undefined)?.[field];
}

function differenceOf(
  expected: ReadonlyMap<string, readonly string[]>,
  actual: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  for (const [stream, lines] of expected) {
    const found = actual.get(stream);
    if (found === undefined) return `${stream} should have ${lines.join('; ')}`;
    if (found.join('; ') !== lines.join('; '))
      return `${stream} should have ${lines.join('; ')}; it has ${found.join('; ')}`;
  }
  for (const [stream, lines] of actual)
    if (!expected.has(stream)) return `${stream} has ${lines.join('; ')}, uncalled for`;
  return undefined;
}

export function bodyOf({ idempotencyKey: _key, ...body }: KoraRequest): string {
  return JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

function nameOf(request: KoraRequest): string {
  return `${request.idempotencyKey} ${bodyOf(request)}`;
}
