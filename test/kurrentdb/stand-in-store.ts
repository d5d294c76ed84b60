import { randomUUID } from 'node:crypto';

/** What the stand-in keeps: records in one log, as the server of KurrentDB keeps them. In memory, nothing survives. */

export interface StandInRecord {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /** 100 ns since 1970, as the protocol says it. */
  readonly createdTicks: bigint;
  /** Byte of the log at which it begins: what follows begins after its end. */
  readonly position: number;
}

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** −1: no stream; −2: any; −4: the stream exists; else the exact revision. */
export interface ProposedAppend {
  readonly stream: string;
  readonly expected: bigint;
  readonly records: readonly Proposed[];
}

export type StandInAnswer =
  | { readonly outcome: 'appended'; readonly position: number; readonly revisions: ReadonlyMap<string, number> }
  | { readonly outcome: 'conflict'; readonly stream: string; readonly expected: bigint; readonly actual: number };

export class StandInStore {
  readonly records: StandInRecord[] = [];
  readonly streams = new Map<string, StandInRecord[]>();
  /** Told after each append. */
  readonly watchers = new Set<() => void>();
  /**
   * What a server says of an append that it has taken already: the first answer, or that the versions are not as expected.
   * Which of them KurrentDB does for several streams is not promised; nobody may depend on it.
   */
  knowsDoubles = true;
  readonly #ids = new Map<string, StandInRecord>();
  // A real log begins with records of the server's own.
  #end = 1_024;

  constructor() {
    this.#write([{ stream: '$$stand-in', expected: -2n, records: [systemRecord()] }]);
  }

  append(appends: readonly ProposedAppend[]): StandInAnswer {
    if (this.knowsDoubles && appends.every((one) => this.#isDouble(one))) {
      const found = appends.map(({ stream, records }) =>
        this.#doubleOf(stream, records[records.length - 1] as Proposed),
      );
      const position = Math.max(...found.map((record) => record?.position ?? 0));
      return {
        outcome: 'appended',
        position,
        revisions: new Map(appends.map(({ stream }, index) => [stream, found[index]?.revision ?? 0])),
      };
    }
    for (const { stream, expected } of appends) {
      const actual = (this.streams.get(stream)?.length ?? 0) - 1;
      const fits = expected === -2n || (expected === -4n ? actual >= 0 : expected === BigInt(actual));
      if (!fits) return { outcome: 'conflict', stream, expected, actual };
    }
    return this.#write(appends);
  }

  #isDouble({ stream, expected, records }: ProposedAppend): boolean {
    const first = this.#doubleOf(stream, records[0] as Proposed);
    if (first === undefined) return false;
    return expected === -2n || BigInt(first.revision) === expected + 1n;
  }

  #doubleOf(stream: string, { id }: Proposed): StandInRecord | undefined {
    return this.#ids.get(`${stream}\n${id}`);
  }

  #write(appends: readonly ProposedAppend[]): StandInAnswer {
    const createdTicks = BigInt(Date.now()) * 10_000n;
    const revisions = new Map<string, number>();
    let position = 0;
    for (const { stream, records } of appends) {
      const kept = this.streams.get(stream) ?? [];
      this.streams.set(stream, kept);
      for (const proposed of records) {
        position = this.#end;
        const record = { ...proposed, stream, revision: kept.length, createdTicks, position };
        kept.push(record);
        this.records.push(record);
        this.#ids.set(`${stream}\n${record.id}`, record);
        this.#end += 120 + stream.length + record.data.length + record.metadata.length;
      }
      revisions.set(stream, kept.length - 1);
    }
    // Between units the server writes for itself, too: readers must step over it.
    if (this.records.length % 7 === 0) this.#write([{ stream: '$stats', expected: -2n, records: [systemRecord()] }]);
    for (const told of [...this.watchers]) told();
    return { outcome: 'appended', position, revisions };
  }

  /** Index of the first record at or after a position. */
  indexAt(position: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.records[middle] as StandInRecord).position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function systemRecord(): Proposed {
  const nothing = new TextEncoder().encode('{}');
  return { id: randomUUID(), type: '$event', contentType: 'application/json', data: nothing, metadata: nothing };
}
