import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryLog } from '../../../eventstore/index.ts';
import { Dispatcher } from '../../../src/actors/dispatcher/dispatcher.ts';
import type {
  Candidate,
  Clock,
  ConnectorTerms,
  Connectors,
  SendAnswer,
  StatusAnswer,
  Told,
  Wanted,
  WorkItem,
} from '../../../src/actors/dispatcher/ports.ts';
import { DeadlineScheduler } from '../../../src/actors/deadline-scheduler.ts';
import type { KoraRequest } from '../../../src/actors/requests.ts';
import { type Outcome, Runtime } from '../../../src/actors/runtime.ts';
import type { InstructionOutcome } from '../../../src/machines/commands.ts';
import { factsOf } from '../../../src/machines/fact-codec.ts';
import { sliceStatusOf } from '../../../src/machines/payout/view.ts';
import { ChangeSet } from '../../../src/projections/change-set.ts';
import { instructionsProjection, instructionsTable } from '../../../src/projections/instructions.projection.ts';
import { MemoryTables } from '../../../src/projections/memory/writer.ts';

/** Time that passes when the test says so. */
export class TestClock implements Clock {
  #ms = Date.UTC(2026, 2, 2, 12);
  #due: { readonly at: number; readonly work: () => void }[] = [];

  now(): Date {
    return new Date(this.#ms);
  }

  after(ms: number, work: () => void): () => void {
    const due = { at: this.#ms + ms, work };
    this.#due.push(due);
    return () => (this.#due = this.#due.filter((one) => one !== due));
  }

  random(): number {
    return 0.5;
  }

  /** Lets time pass, step by step, and everything that is due in it happen. */
  async pass(ms: number): Promise<void> {
    const end = this.#ms + ms;
    for (;;) {
      await quiet();
      const next = this.#due.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((one) => one !== next);
      this.#ms = Math.max(this.#ms, next.at);
      next.work();
    }
    this.#ms = end;
    await quiet();
  }
}

/** Resolves when nothing happens any more without time passing. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 25; turn++) await nextTurn();
}

export const usual: ConnectorTerms = {
  sendWithinMs: 5_000,
  requestTimeoutMs: 3_000,
  clockSkewMs: 1_000,
  notFoundFinalAfterMs: 10_000,
  honoursKeys: true,
  findsByKey: true,
};

type Answering<Answer> = (told: Told) => Answer | Promise<Answer>;

/** A bank that does what the test says, and writes down what it was told. */
export class ScriptedBank {
  readonly sent: { readonly connector: string; readonly key: string }[] = [];
  readonly asked: { readonly connector: string; readonly reference: string }[] = [];
  readonly terms = new Map<string, ConnectorTerms>();
  readonly closedDoors = new Set<string>();
  #sending: Answering<SendAnswer>[] = [];
  #status: StatusAnswer = { status: 'not_found' };

  constructor(connectors: readonly string[] = ['one', 'two'], terms: ConnectorTerms = usual) {
    for (const id of connectors) this.terms.set(id, terms);
  }

  /** How it answers the next sending; afterwards it confirms. */
  next(answer: SendAnswer | Answering<SendAnswer>): this {
    this.#sending.push(typeof answer === 'function' ? answer : () => answer);
    return this;
  }

  /** What it says from now on when it is asked. */
  says(status: StatusAnswer): this {
    this.#status = status;
    return this;
  }

  get connectors(): Connectors {
    return {
      serves: (profile) => profile === 'momo',
      select: ({ except }: Wanted): Candidate | 'none' | 'none now' => {
        const fitting = [...this.terms.keys()].filter((id) => !except.has(id));
        const open = fitting.find((id) => !this.closedDoors.has(id));
        if (open !== undefined) return { id: open, profile: 'momo' };
        return fitting.length > 0 ? 'none now' : 'none';
      },
      admits: (id) => !this.closedDoors.has(id),
      terms: (id) => this.terms.get(id),
      send: async (connector, told) => {
        this.sent.push({ connector, key: told.idempotencyKey });
        const answer = this.#sending.shift();
        return answer === undefined
          ? { outcome: 'accepted', providerRef: `ref-${connector}`, status: 'confirmed', providerFee: '3' }
          : answer(told);
      },
      status: (connector, reference) => {
        this.asked.push({ connector, reference });
        return Promise.resolve(this.#status);
      },
    };
  }
}

export const accepted = (status: 'pending' | 'confirmed' = 'pending'): SendAnswer => ({
  outcome: 'accepted',
  providerRef: 'ref-1',
  status,
});
export const refused = (elsewhere = true): SendAnswer => ({ outcome: 'refused', code: 'NotServed', elsewhere });
export const timedOut: SendAnswer = { outcome: 'unknown', reason: 'Timeout' };
export const notSent: SendAnswer = { outcome: 'not_sent', reason: 'ConnectFailed' };

/** The runtime on a log in memory, a dispatcher, a scheduler, a bank and a clock. */
export class Stage {
  readonly clock = new TestClock();
  readonly log = new MemoryLog();
  readonly runtime = new Runtime({ log: this.log, now: () => this.clock.now(), terms: { holdMs: 600_000 } });
  readonly bank: ScriptedBank;
  dispatcher: Dispatcher;
  readonly scheduler: DeadlineScheduler;
  readonly due: { readonly paymentId: string; readonly kind: 'expire' | 'settle' }[] = [];
  readonly errors: unknown[] = [];
  #keys = 0;

  constructor(bank = new ScriptedBank()) {
    this.bank = bank;
    this.dispatcher = this.newDispatcher();
    this.scheduler = new DeadlineScheduler({
      runtime: this.runtime,
      now: () => this.clock.now(),
      due: () => Promise.resolve(this.due),
    });
  }

  /** As another process would have it, or the same one after a restart. */
  newDispatcher(): Dispatcher {
    return new Dispatcher({
      runtime: this.runtime,
      connectors: this.bank.connectors,
      due: (sort, after, limit) => this.#work(sort, after, limit),
      settlesAt: () => new Date(this.clock.now().getTime() + 86_400_000).toISOString(),
      clock: this.clock,
      onError: (error) => this.errors.push(error),
    });
  }

  async do(request: Omit<KoraRequest, 'idempotencyKey'>): Promise<Outcome> {
    const asked = { ...request, idempotencyKey: `k${(this.#keys += 1)}` } as KoraRequest;
    return this.runtime.execute(asked, { tenant: 'kora', principal: 'service:test', correlationId: 'test' });
  }

  async must(request: Omit<KoraRequest, 'idempotencyKey'>): Promise<Outcome & { ok: true }> {
    const outcome = await this.do(request);
    if (!outcome.ok) throw new Error(`${request.type}: ${outcome.refusal.message}`);
    return outcome;
  }

  /** A wallet with 1,000, and a cash-out of 400 from it that waits for a provider. */
  async cashOut(): Promise<string> {
    const open = { type: 'OpenAccount', walletType: 'customer', currency: 'XOF', accountId: 'ada' } as const;
    if ((await this.runtime.account('ada')) === undefined) {
      await this.must(open);
      const gift = { type: 'Pay', kind: 'CASH_IN', amount: 1_000n, currency: 'XOF', payee: 'ada' } as const;
      await this.must({ ...gift, provider: 'cash', upTo: 'SETTLED' } as never);
    }
    const pay = {
      type: 'Pay',
      kind: 'CASH_OUT',
      amount: 400n,
      currency: 'XOF',
      payer: 'ada',
      provider: 'momo',
    } as const;
    const { payment } = await this.must({ ...pay, upTo: 'AUTHORIZED' } as never);
    return payment?.paymentId ?? '';
  }

  /** What happened to a payment: its facts, without the names of what only a provider was told. */
  async facts(paymentId: string): Promise<string[]> {
    const facts: string[] = [];
    for await (const row of this.log.readStream(`payment/${paymentId}`)) {
      facts.push(...factsOf(row).map(({ type }) => type.replace(/^(Payment|Instruction)/, '')));
    }
    return facts;
  }

  /** Status of the payment, and how far it is with its provider. */
  async status(paymentId: string): Promise<string> {
    const state = await this.runtime.paymentState(paymentId);
    return state === undefined ? 'none' : `${state.value} ${sliceStatusOf(state)}`;
  }

  /** Sum of the entries of every account that has any, by its id. */
  async books(): Promise<Readonly<Record<string, bigint>>> {
    const sums: Record<string, bigint> = {};
    for await (const unit of this.log.readAll(0)) {
      for (const row of unit.rows) {
        const id = row.stream.slice(row.stream.indexOf('/') + 1);
        for (const fact of factsOf(row))
          if (fact.type === 'EntryPosted') sums[id] = (sums[id] ?? 0n) + BigInt(fact.amount);
      }
    }
    return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0n));
  }

  /** A provider's own word, as a callback brings it. */
  callback(paymentId: string, outcome: InstructionOutcome, connector = 'one'): Promise<boolean> {
    return this.dispatcher.told(paymentId, connector, outcome);
  }

  async #work(sort: 'ready' | 'told', after: string | undefined, limit: number): Promise<WorkItem[]> {
    const tables = new MemoryTables();
    for await (const unit of this.log.readAll(0)) {
      const changes = new ChangeSet();
      instructionsProjection.fold(unit, changes);
      tables.write(instructionsProjection, changes);
    }
    return [...tables.rows(instructionsTable).values()]
      .map((row) => ({
        paymentId: String(row['payment_id']),
        provider: String(row['provider']),
        state: String(row['state']) as WorkItem['state'],
      }))
      .filter(({ state }) => (sort === 'ready' ? state === 'ready' : !/^(ready|asked)$/.test(state)))
      .filter(({ paymentId }) => paymentId > (after ?? ''))
      .slice(0, limit);
  }
}
