import type { RecordedRow, RecordedUnit } from '../../../eventstore/index.ts';
import { evolveConnector } from '../../machines/connector/connector.machine.ts';
import { evolvePayment } from '../../machines/evolve.ts';
import { factsOf } from '../../machines/fact-codec.ts';
import { evolvePayout } from '../../machines/payout/payout.machine.ts';
import { categoryOf, idOf } from '../../machines/streams.ts';
import type { Finding } from './finding.ts';

interface State {
  readonly value: string;
  readonly context: { readonly version: number };
}
type Fact = ReturnType<typeof factsOf>[number];

/** What is held against its machine. */
export interface Machine {
  readonly category: 'payment' | 'payout' | 'connector';
  readonly check: Finding['check'];
  /** Its states are what it gave before, and the log's facts its own. */
  readonly evolve: (before: State | undefined, fact: Fact, id: string) => State | 'illegal';
  /** Most of those get no further fact: they are not kept. */
  readonly final: readonly string[];
  /** How many are kept, unless somebody says otherwise. */
  readonly openMax: number;
}

export const paymentsInLog: Machine = {
  category: 'payment',
  check: 'payments',
  evolve: evolvePayment as unknown as Machine['evolve'],
  final: ['SETTLED', 'FAILED', 'REVERSED'],
  // Some 1 KiB each.
  openMax: 100_000,
};
export const payoutsInLog: Machine = {
  category: 'payout',
  check: 'payouts',
  evolve: evolvePayout as unknown as Machine['evolve'],
  final: ['FAILED'],
  // Each knows its slices.
  openMax: 5_000,
};
export const connectorsInLog: Machine = {
  category: 'connector',
  check: 'connectors',
  evolve: evolveConnector as unknown as Machine['evolve'],
  final: [],
  openMax: 5_000,
};

/** Reads the rows of a row's stream that come before it, in order. */
export type ReadHistory = (
  until: Pick<RecordedRow, 'stream' | 'version'>,
) => Promise<readonly Pick<RecordedRow, 'position' | 'events'>[]>;

/**
 * The history of every payment (payout, connector) is a path of its machine. Kept are those that are not final, up to a
 * number; when another one gets a fact (a refund takes its share of a settled payment, a hold is captured after very many
 * others were placed), its history is read again.
 */
export class MachineCheck {
  readonly #machine: Machine;
  readonly #history: ReadHistory;
  readonly #found: (finding: Finding) => void;
  readonly #openMax: number;
  /** The one that was touched last is the last. */
  readonly #open = new Map<string, State>();
  readonly #broken = new Set<string>();

  constructor(machine: Machine, history: ReadHistory, found: (finding: Finding) => void, openMax = machine.openMax) {
    this.#machine = machine;
    this.#history = history;
    this.#found = found;
    this.#openMax = openMax;
  }

  visit(unit: RecordedUnit): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (const row of unit.rows) {
      if (categoryOf(row.stream) !== this.#machine.category) continue;
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

  #take(id: string, row: RecordedRow, before: State | undefined): void {
    const { category, check, evolve } = this.#machine;
    this.#open.delete(id);
    const version = before?.context.version ?? 0;
    let after = before;
    if (version + 1 !== row.version) {
      const message = `${category} ${id} is at version ${version} and gets a fact of version ${row.version}`;
      this.#found({ check, position: row.position, message });
      this.#broken.add(id);
      return;
    }
    for (const [index, fact] of factsOf(row).entries()) {
      const next = evolve(after, fact, id);
      if (next === 'illegal') {
        const message = `${category} ${id} takes no such ${fact.type} when it is ${after?.value ?? 'not made'}`;
        this.#found({ check, position: row.position + index, message });
        this.#broken.add(id);
        return;
      }
      after = next;
    }
    if (after === undefined || this.#machine.final.includes(after.value)) return;
    this.#open.set(id, after);
    if (this.#open.size > this.#openMax) this.#open.delete(this.#open.keys().next().value ?? id);
  }

  /** What it was as its rows before this one left it; they were checked when they passed. */
  async #read(id: string, until: RecordedRow): Promise<State | undefined> {
    let snapshot: State | undefined;
    for (const fact of (await this.#history(until)).flatMap((row) => factsOf(row))) {
      const next = this.#machine.evolve(snapshot, fact, id);
      if (next === 'illegal') return undefined;
      snapshot = next;
    }
    return snapshot;
  }
}
