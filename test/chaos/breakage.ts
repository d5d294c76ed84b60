import { setTimeout as sleep } from 'node:timers/promises';
import type { Seeded } from '../../bench/load/seeded.ts';
import type { Cluster } from './cluster.ts';
import type { Berth, Fleet } from './fleet.ts';

/** What a round breaks. */
export const breakages = ['kill', 'backend', 'postgres', 'stop', 'roll'] as const;
export type Breakage = (typeof breakages)[number];

interface Scene {
  readonly fleet: Fleet;
  readonly cluster: Cluster;
  readonly random: Seeded;
  /** How long a process stands still, at most, in milliseconds. */
  readonly stillMsMax: number;
  readonly signal: AbortSignal;
}

/** Breaks something. Resolves, with what it was, when what has to be started again may be. */
export async function breakIt(what: Breakage, scene: Scene): Promise<string> {
  const { fleet, cluster, random } = scene;
  const berth = oneOf(fleet, random);
  switch (what) {
    case 'kill':
      if (berth === undefined) return 'nothing: nobody serves';
      fleet.kill(berth);
      await gone(berth, scene);
      return `kill -9 of ${berth.name}`;
    case 'backend': {
      const met = await cluster.killAppender();
      return met === undefined ? 'nothing: no backend was there' : `kill -9 of a backend ${met}`;
    }
    case 'postgres':
      cluster.killServer();
      return 'kill -9 of the postmaster and all its children';
    case 'stop': {
      if (berth === undefined) return 'nothing: nobody serves';
      const stillMs = 500 + random.below(Math.max(scene.stillMsMax - 500, 1));
      fleet.stop(berth);
      await sleep(stillMs);
      fleet.resume(berth);
      return `${berth.name} stood still for ${(stillMs / 1_000).toFixed(1)} s`;
    }
    case 'roll':
      return roll(scene);
  }
}

/** One after the other is asked to end, and started again. */
async function roll({ fleet, signal }: Scene): Promise<string> {
  const codes: string[] = [];
  for (const berth of fleet.berths) {
    const code = await fleet.retire(berth);
    if (code !== 0) codes.push(`${berth.name} ended with ${code ?? 'a signal'}`);
    await fleet.raise(signal);
  }
  return `SIGTERM to one after the other${codes.length === 0 ? '' : ` (${codes.join(', ')})`}`;
}

function oneOf({ berths }: Fleet, random: Seeded): Berth | undefined {
  const serving = berths.filter(({ state }) => state === 'serving');
  return serving[random.below(serving.length)];
}

async function gone(berth: Berth, { signal }: Scene): Promise<void> {
  while (berth.state === 'ending') {
    signal.throwIfAborted();
    await sleep(10);
  }
}
