import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Bell } from './bell.ts';
import { deliverLane, type LaneTerms } from './deliver-lane.ts';
import type { Sealer } from './face.ts';
import { readTargets, type Target } from './postgres/endpoints.ts';
import { type ClaimedLane, claimLanes, recordResults } from './postgres/lanes.ts';
import { Recorder } from './recorder.ts';

export interface DelivererOptions extends LaneTerms {
  readonly pool: pg.Pool;
  readonly sealer: Sealer;
  /** Ends it: what is on its way is waited for so long, then cut off; its result is recorded. */
  readonly signal: AbortSignal;
  readonly graceMs: number;
  /** Payments that go to one endpoint at the same time. A slow one fills its own, and nobody else's. */
  readonly lanesPerEndpoint: number;
  /** Deliveries of one payment that are taken at once. */
  readonly deliveriesPerLane: number;
  /** How often to look for what is due, if nobody rings. */
  readonly pollMs: number;
  /** Rung when there may be something to deliver. */
  readonly bell: Bell;
  readonly onError: (error: unknown) => void;
}

/** Not oftener. */
const CLAIM_EVERY_MS = 10;

/** After so many failures in a row an endpoint is asked by one lane at a time, until it takes something. */
const FAILURES_MAX = 5;

/** Delivers what is due, until the signal. */
export async function runDeliverer(options: DelivererOptions): Promise<void> {
  await new Deliverer(options).run();
}

class Deliverer {
  readonly #options: DelivererOptions;
  /** Lanes at work, by endpoint. */
  readonly #atWork = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  readonly #cutOff = new AbortController();
  readonly #recorder: Recorder;

  constructor(options: DelivererOptions) {
    this.#options = options;
    const { pool, onError } = options;
    this.#recorder = new Recorder((results) => recordResults(pool, results), onError);
  }

  async run(): Promise<void> {
    const { signal, pollMs, bell, onError, graceMs } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#round();
      } catch (error) {
        onError(error);
      }
      await bell.rung(pollMs, signal);
      // Many end at nearly the same time: what they leave free is filled by one claim.
      await pause(CLAIM_EVERY_MS, signal);
    }
    const grace = setTimeout(() => this.#cutOff.abort(), graceMs);
    await Promise.all(this.#running);
    clearTimeout(grace);
    await this.#recorder.close();
  }

  /** Claims what there is room for, and starts it. */
  async #round(): Promise<void> {
    const { pool, sealer, now, leaseMs, deliveriesPerLane } = this.#options;
    const targets = new Map((await readTargets(pool, sealer, now())).map((target) => [target.id, target]));
    for (const id of this.#failures.keys()) if (!targets.has(id)) this.#failures.delete(id);
    const room = new Map<string, number>();
    for (const id of targets.keys()) {
      const lanes = this.#lanesOf(id) - (this.#atWork.get(id) ?? 0);
      if (lanes > 0) room.set(id, lanes);
    }
    if (room.size === 0) return;
    const claimedAtMs = performance.now();
    const claim = { token: randomUUID(), now: now(), leaseMs, deliveriesMax: deliveriesPerLane };
    const lanes = await claimLanes(pool, room, claim);
    for (const lane of lanes) {
      const target = targets.get(lane.endpointId);
      if (target !== undefined) this.#start(lane, target, claimedAtMs);
    }
  }

  #lanesOf(endpointId: string): number {
    return (this.#failures.get(endpointId) ?? 0) < FAILURES_MAX ? this.#options.lanesPerEndpoint : 1;
  }

  #start(lane: ClaimedLane, target: Target, claimedAtMs: number): void {
    const { endpointId } = lane;
    this.#atWork.set(endpointId, (this.#atWork.get(endpointId) ?? 0) + 1);
    const work = async (): Promise<void> => {
      const { signal } = this.#options;
      const result = await deliverLane(lane, target, claimedAtMs, this.#options, {
        stop: signal,
        cutOff: this.#cutOff.signal,
      });
      const last = result.tried.at(-1);
      if (last?.status === 'delivered') this.#failures.delete(endpointId);
      else if (last !== undefined) this.#failures.set(endpointId, (this.#failures.get(endpointId) ?? 0) + 1);
      await this.#recorder.record(result);
    };
    const running = work()
      .catch(this.#options.onError)
      .finally(() => {
        this.#running.delete(running);
        const left = (this.#atWork.get(endpointId) ?? 1) - 1;
        if (left === 0) this.#atWork.delete(endpointId);
        else this.#atWork.set(endpointId, left);
        this.#options.bell.ring();
      });
    this.#running.add(running);
  }
}

/** Waits a while, unless it is over. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
