import type { RecordedRow, RecordedUnit } from '../../../eventstore/index.ts';
import { evolvePayment } from '../../machines/evolve.ts';
import { factsOf } from '../../machines/fact-codec.ts';
import type { PaymentFact } from '../../machines/payment/payment.facts.ts';
import type { PaymentSnapshot } from '../../machines/payment/payment.machine.ts';
import { categoryOf, idOf } from '../../machines/streams.ts';
import type { Finding } from './finding.ts';

/** Open payments that are kept, some 1 KiB each. */
const openPaymentsMax = 100_000;

/** Reads the rows of a row's stream that come before it, in order. */
export type ReadHistory = (
  until: Pick<RecordedRow, 'stream' | 'version'>,
) => Promise<readonly Pick<RecordedRow, 'position' | 'events'>[]>;

/**
 * Every payment's history is a path of its machine. Kept are those that are not final, up to a number; when another one
 * gets a fact (a refund takes its share of a settled payment, a hold is captured after very many others were placed), its
 * history is read again.
 */
export class PaymentCheck {
  readonly #history: ReadHistory;
  readonly #found: (finding: Finding) => void;
  readonly #openMax: number;
  /** The one that was touched last is the last. */
  readonly #open = new Map<string, PaymentSnapshot>();
  readonly #broken = new Set<string>();

  constructor(history: ReadHistory, found: (finding: Finding) => void, openMax = openPaymentsMax) {
    this.#history = history;
    this.#found = found;
    this.#openMax = openMax;
  }

  visit(unit: RecordedUnit): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (const row of unit.rows) {
      if (categoryOf(row.stream) !== 'payment') continue;
      const id = idOf(row.stream);
      if (this.#broken.has(id)) continue;
      const before = this.#open.get(id);
      if (before === undefined && row.version > 1) {
        const taken = this.#read(id, row).then((history) => this.#take(id, row, history));
        waiting = waiting === undefined ? taken : Promise.all([waiting, taken]).then(() => undefined);
      } else this.#take(id, row, before);
    }
    return waiting;
  }

  #take(id: string, row: RecordedRow, before: PaymentSnapshot | undefined): void {
    this.#open.delete(id);
    const version = before?.context.version ?? 0;
    let after = before;
    if (version + 1 !== row.version) {
      const message = `payment ${id} is at version ${version} and gets a fact of version ${row.version}`;
      this.#found({ check: 'payments', position: row.position, message });
      this.#broken.add(id);
      return;
    }
    for (const [index, fact] of factsOf(row).entries()) {
      const next = evolvePayment(after, fact as PaymentFact, id);
      if (next === 'illegal') {
        const message = `payment ${id} takes no such ${fact.type} when it is ${after?.value ?? 'not made'}`;
        this.#found({ check: 'payments', position: row.position + index, message });
        this.#broken.add(id);
        return;
      }
      after = next;
    }
    if (after === undefined || isFinal(after)) return;
    this.#open.set(id, after);
    if (this.#open.size > this.#openMax) this.#open.delete(this.#open.keys().next().value ?? id);
  }

  /** The payment as its rows before this one left it; they were checked when they passed. */
  async #read(id: string, until: RecordedRow): Promise<PaymentSnapshot | undefined> {
    let snapshot: PaymentSnapshot | undefined;
    for (const fact of (await this.#history(until)).flatMap((row) => factsOf(row))) {
      const next = evolvePayment(snapshot, fact as PaymentFact, id);
      if (next === 'illegal') return undefined;
      snapshot = next;
    }
    return snapshot;
  }
}

function isFinal({ value }: PaymentSnapshot): boolean {
  return value === 'SETTLED' || value === 'FAILED' || value === 'REVERSED';
}
