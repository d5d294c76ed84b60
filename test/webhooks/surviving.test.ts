import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { fc, test } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PublicEvent } from '../../src/webhooks/events/catalog.ts';
import { publicEvents } from '../../src/webhooks/events/public-events.ts';
import { writeOutbox } from '../../src/webhooks/postgres/outbox.ts';
import { openForRandom, randomSteps, runStep } from '../support/random-commands.ts';
import { Receiver, type Received } from './support/receiver.ts';
import { WebhookStage } from './support/stage.ts';

/**
 * Proves that nothing is lost and each payment is told in order, whoever dies or comes twice: a process that is killed
 * between a delivery and its record, two that tell at once, receivers that fail at random.
 */
let stage: WebhookStage;
const receivers: Receiver[] = [];
const receiver = (reply?: Receiver['reply']): Receiver => {
  const one = new Receiver(reply);
  receivers.push(one);
  return one;
};
beforeEach(async () => {
  stage = await WebhookStage.open();
});
afterEach(async () => {
  await stage.close();
  await Promise.all(receivers.splice(0).map((one) => one.close()));
});

/** Ids of what the log says, by subject and in its order. */
async function expected({ log }: WebhookStage = stage): Promise<Record<string, string[]>> {
  const ids: Record<string, string[]> = {};
  for await (const unit of log.readAll(0)) {
    for (const { envelope } of publicEvents(unit)) (ids[envelope.subject] ??= []).push(envelope.id);
  }
  return ids;
}

/** The same of what was taken, each at its first time. */
function firstTimes(taken: readonly Received[]): Record<string, string[]> {
  const ids: Record<string, string[]> = {};
  const seen = new Set<string>();
  for (const { event } of taken) {
    if (!seen.has(event.id)) (ids[event.subject] ??= []).push(event.id);
    seen.add(event.id);
  }
  return ids;
}

/** Seconds alone: a machine that runs everything at once takes many times that. */
const TIMEOUT_MS = 240_000;

describe('a process that is killed', () => {
  it('after it delivered and before it wrote that down: it is delivered again, and nothing is lost', async () => {
    const { promise: killed, resolve } = Promise.withResolvers<undefined>();
    const one = receiver(async () => {
      // Taken, as far as the receiver knows; nobody is left to hear of it.
      if (one.received.length === 1) {
        child.kill('SIGKILL');
        await once(child, 'exit');
        resolve(undefined);
      }
      return 200;
    });
    await stage.add(one);
    const child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('fixtures/tell.ts', import.meta.url)),
        stage.database.connectionString,
        stage.keyringText,
        '1000',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    stage.scribe.open('ada');
    stage.scribe.cashIn('ada', 5n);
    await stage.scribe.written();
    await killed;
    // It went by the clock on the wall.
    stage.clock.ms = Date.now() + 1_000;
    stage.run({ leaseMs: 1_000, timeoutMs: 500 });
    await stage.told();
    const [first] = one.received;
    expect(one.received.filter(({ event }) => event.id === first?.event.id).length).toBe(2);
    expect(firstTimes(one.received)).toEqual(await expected());
  });
});

describe('a relay that was overtaken', () => {
  it('writes nothing', async () => {
    const one = receiver();
    const { id } = await stage.add(one);
    stage.scribe.open('ada');
    await stage.scribe.written();
    const events: PublicEvent[] = [];
    let to = 0;
    for await (const unit of stage.log.readAll(0)) {
      events.push(...publicEvents(unit));
      to = unit.lastPosition;
    }
    const write = () => writeOutbox(stage.pool, events, { from: 0, to }, stage.clock.now());
    const written = await Promise.all([write(), write(), write()]);
    expect(written.filter((count) => count !== undefined)).toEqual([1]);
    expect(await stage.standing(id)).toEqual({ pending: 1 });
    stage.run();
    await stage.told();
    expect(one.taken).toHaveLength(1);
  });

  it('is not noticed by whoever is told: two tell at once, one of them ends now and then', async () => {
    const [one, other] = [receiver(), receiver()];
    await stage.add(one);
    await stage.add(other, ['payment.*']);
    stage.run();
    let second = stage.run();
    stage.scribe.open('ada');
    stage.scribe.open('ben');
    stage.scribe.cashIn('ada', 1_000n);
    for (let count = 0; count < 60; count += 1) {
      stage.scribe.p2p('ada', 'ben', 1n);
      if (count % 20 === 10) {
        await stage.scribe.written();
        await second.stop();
        second = stage.run();
      }
    }
    await stage.told();
    const all = await expected();
    expect(firstTimes(one.taken)).toEqual(all);
    const payments = Object.entries(all).filter(([subject]) => subject.startsWith('payment/'));
    expect(firstTimes(other.taken)).toEqual(Object.fromEntries(payments));
  });
});

describe('receivers that fail at random', () => {
  const script = fc.record({
    steps: randomSteps,
    failures: fc.array(fc.constantFrom(200, 200, 500, 429, 'cut' as const, 'taken and cut' as const), {
      minLength: 10,
      maxLength: 40,
    }),
  });

  test.prop([script], { numRuns: 4 })(
    'are told everything, in order per payment',
    async ({ steps, failures }) => {
      const run = await WebhookStage.open();
      const took: Received[] = [];
      const one: Receiver = new Receiver((received) => {
        const reply = failures[one.received.length % failures.length] ?? 200;
        // It has it, and says so to nobody: that is when it comes twice.
        if (reply === 200 || reply === 'taken and cut') took.push(received);
        return reply === 'taken and cut' ? 'cut' : reply;
      });
      try {
        await run.add(one);
        run.run({ schedule: { firstDelayMs: 1, delayMsMax: 1, giveUpAfterMs: 10 ** 9 } });
        openForRandom(run.scribe);
        steps.forEach((step, index) => runStep(run.scribe, step, String(index)));
        // What is to come later comes now.
        const time = setInterval(() => run.clock.advance(3_600_000), 5);
        // Some scripts never let everything through at the same place in the round.
        failures.push(200);
        await run.told().finally(() => clearInterval(time));
        expect(firstTimes(took)).toEqual(await expected(run));
      } finally {
        await run.close();
        await one.close();
      }
    },
    TIMEOUT_MS,
  );
});
