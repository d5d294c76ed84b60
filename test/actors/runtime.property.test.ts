import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { MemoryStore, type RecordedUnit } from '../../eventstore/index.ts';
import type { KoraRequest } from '../../src/actors/requests.ts';
import { Runtime, type Outcome } from '../../src/actors/runtime.ts';
import { HeldLog, turns } from '../support/held-log.ts';
import { caller, cashIn, openWallets, p2p } from '../support/wallets.ts';

/**
 * Proves, over random histories of several processes on one log that race, crash and retry: what was answered is in the
 * log, once; every answer to one key is the same; entries sum to zero; no wallet is below zero.
 */
const key = fc.integer({ min: 0, max: 30 });

const request: fc.Arbitrary<KoraRequest> = fc.oneof(
  // One body for a key, so that retries are retries; another body for it is tested elsewhere.
  key.map((k) => p2p(`w${k % 4}`, `w${(k + 1 + (k % 3)) % 4}`, BigInt((k * 7) % 120) + 1n, `p${k}`)),
  key.map((k) => ({ ...p2p(`w${k % 4}`, `w${(k + 1) % 4}`, BigInt(k) + 1n, `h${k}`), upTo: 'AUTHORIZED' as const })),
  key.map((k) => cashIn(`w${k % 4}`, BigInt(k), `c${k}`)).filter((pay) => pay.amount > 0n),
);

type Step =
  | { readonly do: 'ask'; readonly process: number; readonly request: KoraRequest }
  | { readonly do: 'hold' | 'release' | 'crash'; readonly process: number }
  | { readonly do: 'turn' };

const process = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('ask' as const), process, request }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), process }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), process }) },
  { weight: 2, arbitrary: fc.constant({ do: 'turn' } as const) },
);

interface Process {
  readonly log: HeldLog;
  readonly runtime: Runtime;
}

class Processes {
  readonly store = new MemoryStore();
  readonly answers: { request: KoraRequest; outcome: Outcome }[] = [];
  readonly #alive: Process[] = [0, 1, 2].map(() => this.#start());

  #start(): Process {
    const log = new HeldLog(this.store);
    return { log, runtime: new Runtime({ log, residentsMax: 8 }) };
  }

  async open(): Promise<void> {
    await openWallets(this.#at(0).runtime, { w0: 100n, w1: 100n, w2: 100n, w3: 0n });
  }

  #at(index: number): Process {
    return this.#alive[index] as Process;
  }

  take(step: Step): void {
    if (step.do === 'turn') return;
    const { log, runtime } = this.#at(step.process);
    if (step.do === 'hold') log.hold();
    if (step.do === 'release') log.release();
    // What a dead process holds is never released: its units are lost, its callers hear nothing.
    if (step.do === 'crash') this.#alive[step.process] = this.#start();
    if (step.do === 'ask') {
      const { request } = step;
      void runtime.execute(request, caller).then((outcome) => this.answers.push({ request, outcome }));
    }
  }

  async finish(): Promise<void> {
    for (const { log } of this.#alive) log.release();
    await Promise.all(this.#alive.map(({ runtime }) => runtime.drain()));
  }
}

interface Entry {
  readonly amount?: string;
  readonly after?: { readonly posted: string; readonly held: string };
}
interface Posted {
  readonly type: string;
  readonly stream: string;
  readonly data: Entry;
}
const entriesOf = (unit: RecordedUnit): Posted[] =>
  unit.rows.flatMap(({ stream, events }) => events.map(({ type, data }): Posted => ({ type, stream, data })));

describe('several processes that race, crash and retry', () => {
  test.prop([fc.array(step, { minLength: 5, maxLength: 60 })], { numRuns: 300 })(
    'keep every promise',
    async (steps) => {
      const processes = new Processes();
      await processes.open();
      for (const next of steps) {
        processes.take(next);
        if (next.do === 'turn') await turns(1);
      }
      await processes.finish();
      await turns();

      const { units } = processes.store;
      const balances = new Map<string, bigint>();
      const made = new Map<string, number>();
      for (const unit of units) {
        let sum = 0n;
        for (const { type, stream, data } of entriesOf(unit)) {
          if (type === 'PaymentInitiated') made.set(stream, (made.get(stream) ?? 0) + 1);
          if (type === 'EntryPosted') {
            sum += BigInt(data.amount ?? 0);
            balances.set(stream, (balances.get(stream) ?? 0n) + BigInt(data.amount ?? 0));
          }
          if (data.after !== undefined) {
            expect(BigInt(data.after.posted) - BigInt(data.after.held)).toBeGreaterThanOrEqual(0n);
            expect(BigInt(data.after.posted)).toBe(balances.get(stream) ?? 0n);
          }
        }
        expect(sum).toBe(0n);
      }
      expect([...made.values()].every((count) => count === 1)).toBe(true);

      const answered = new Map<string, unknown>();
      for (const { request, outcome } of processes.answers) {
        // Contended and Overloaded promise that nothing was written for this call; another call may have been luckier.
        if (!outcome.ok && ['Contended', 'Overloaded'].includes(outcome.refusal.code)) continue;
        const paymentId = outcome.payment?.paymentId ?? '';
        expect(made.get(`payment/${paymentId}`)).toBe(1);
        const said = JSON.stringify([outcome.ok, outcome.payment, !outcome.ok && outcome.refusal]);
        expect(answered.get(request.idempotencyKey) ?? said).toBe(said);
        answered.set(request.idempotencyKey, said);
      }
    },
  );
});
