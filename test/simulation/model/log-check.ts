import { createHash } from 'node:crypto';
import type { MemoryStore, RecordedUnit } from '../../../eventstore/index.ts';
import { check } from './finding.ts';
import { TrialBalance } from './trial-balance.ts';

type Data = Readonly<Record<string, unknown>>;

/** The log by itself: positions and versions are dense, commits are chained, entries sum to zero in each currency (invariants 1, 2, 6). */
export class LogCheck {
  readonly books = new TrialBalance();
  readonly #store: MemoryStore;
  readonly #versions = new Map<string, number>();
  readonly #wallets = new Map<string, { posted: bigint; held: bigint; limit: bigint }>();
  readonly #units = new Set<string>();
  #position = 0;
  #commits = 0;
  #hash = Buffer.alloc(0);
  #recordedAt = 0;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  visit(unit: RecordedUnit): void {
    check(unit.position === this.#position + 1, '6 positions', () => `${unit.id} begins at ${unit.position}`);
    check(!this.#units.has(unit.id), '7 once', () => `unit ${unit.id} is in the log twice`);
    this.#units.add(unit.id);
    for (const row of unit.rows) {
      check(row.position === this.#position + 1, '6 positions', () => `a row of ${unit.id} is at ${row.position}`);
      const version = this.#versions.get(row.stream) ?? 0;
      check(row.version === version + 1, '6 versions', () => `${row.stream} goes from ${version} to ${row.version}`);
      this.#versions.set(row.stream, version + row.events.length);
      this.#position += row.events.length;
      for (const { type, data } of row.events) {
        const said = data as Data;
        if (row.stream.startsWith('account/')) this.#addUp(row.stream, type, said);
      }
    }
    check(unit.lastPosition === this.#position, '6 positions', () => `${unit.id} ends at ${unit.lastPosition}`);
    this.books.visit(unit);
  }

  /** The commits since the last call: their hashes are computed anew from what readers are given. */
  chain(): void {
    for (; this.#commits < this.#store.commits.length; this.#commits++) {
      const commit = this.#store.commits[this.#commits];
      if (commit === undefined) return;
      const end = commit.position + commit.count - 1;
      const units = this.#unitsFrom(commit.position, end);
      const digest = digestOf(units);
      const fixed = Buffer.alloc(20);
      fixed.writeBigInt64BE(BigInt(commit.position), 0);
      fixed.writeInt32BE(commit.count, 8);
      fixed.writeBigInt64BE(BigInt(commit.recordedAt.getTime()) * 1000n, 12);
      const hash = createHash('sha256').update(this.#hash).update(fixed).update(digest).digest();
      check(hash.equals(commit.hash), '6 chain', () => `the commit at ${commit.position} does not fit into the chain`);
      check(
        commit.recordedAt.getTime() >= this.#recordedAt,
        '6 time',
        () => `recorded time goes back at ${commit.position}`,
      );
      this.#hash = hash;
      this.#recordedAt = commit.recordedAt.getTime();
    }
  }

  get hash(): string {
    return this.#hash.toString('hex');
  }

  #unitsFrom(first: number, last: number): RecordedUnit[] {
    const { units } = this.#store;
    const found: RecordedUnit[] = [];
    for (let index = units.length - 1; index >= 0; index--) {
      const unit = units[index] as RecordedUnit;
      if (unit.position < first) break;
      if (unit.lastPosition <= last) found.unshift(unit);
    }
    return found;
  }

  #addUp(stream: string, type: string, said: Data): void {
    const { posted, held, limit } = said['after'] as Record<string, string>;
    let sums = this.#wallets.get(stream);
    if (sums === undefined) this.#wallets.set(stream, (sums = { posted: 0n, held: 0n, limit: BigInt(limit ?? '') }));
    const before = sums.posted - sums.held + sums.limit;
    const amount = BigInt((said['amount'] as string | undefined) ?? '0');
    if (type === 'HoldPlaced') sums.held += amount;
    else if (type === 'HoldReleased') sums.held -= amount;
    else if (type === 'AccountLimitSet') sums.limit = BigInt(limit ?? '');
    else if (type === 'EntryPosted') {
      sums.posted += amount;
      sums.held -= BigInt((said['released'] as string | undefined) ?? '0');
    }
    const agrees = sums.posted.toString() === posted && sums.held.toString() === held;
    check(
      agrees,
      '2 figures',
      () => `${stream} says ${posted} held ${held}; its facts come to ${sums.posted}, ${sums.held}`,
    );
    const free = sums.posted - sums.held + sums.limit;
    check(
      free >= 0n || free >= before || said['forced'] === true,
      '2 limits',
      () => `${stream} is ${-free} below its limit`,
    );
    check(sums.held >= 0n, '2 limits', () => `${stream} holds ${sums.held}`);
  }
}

/** As docs/architecture.md describes the chain, written a second time. */
function digestOf(units: readonly RecordedUnit[]): Buffer {
  const hash = createHash('sha256');
  const text = (value: string): void => {
    const bytes = Buffer.from(value);
    const size = Buffer.alloc(4);
    size.writeInt32BE(bytes.length);
    hash.update(size).update(bytes);
  };
  const number = Buffer.alloc(12);
  for (const unit of units) {
    text(JSON.stringify({ ...unit.meta, unit: unit.id, count: unit.lastPosition - unit.position + 1 }));
    number.writeInt32BE(unit.rows.length);
    hash.update(number.subarray(0, 4));
    for (const { stream, version, events } of unit.rows) {
      text(stream);
      number.writeBigInt64BE(BigInt(stream.startsWith('system/') ? -1 : version - 1), 0);
      number.writeInt32BE(events.length, 8);
      hash.update(number);
      text(JSON.stringify(events));
    }
  }
  return hash.digest();
}
