import { describe, expect, it } from 'vitest';
import {
  LogCorruptionError,
  MemoryLog,
  type RecordedUnit,
  type StreamId,
  type StreamRow,
} from '../../eventstore/index.ts';
import { StreamClient } from './support/client.ts';
import { openDoor } from './support/door.ts';
import { expectedOf, seen } from './support/oracle.ts';
import { Traffic } from './support/traffic.ts';

/** Proves what clients are told when the log cannot be read: never nothing, and nothing past a break. */
class FailingLog extends MemoryLog {
  failing: Error | undefined;
  /** Follows units that are none. */
  broken = false;

  override async *subscribe(after: number, signal: AbortSignal): AsyncGenerator<RecordedUnit, void, undefined> {
    for await (const unit of super.subscribe(after, signal)) {
      if (this.failing !== undefined) throw this.failing;
      yield this.broken ? ({ ...unit, rows: undefined } as unknown as RecordedUnit) : unit;
    }
  }

  override async *readStream(stream: StreamId, after = 0): AsyncGenerator<StreamRow, void, undefined> {
    if (this.failing !== undefined) throw this.failing;
    yield* super.readStream(stream, after);
  }
}

describe('when the log cannot be read', () => {
  it('clients that are live wait, and miss nothing once it can', async () => {
    const log = new FailingLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(log);
    const client = await StreamClient.connect(door.port);
    const from = await client.live('payments');
    await traffic.pay(10);
    log.failing = new Error('connection lost');
    await traffic.pay(10);
    expect(client.events('payments').length).toBeLessThan((await expectedOf(log, 'payments', from)).length);
    log.failing = undefined;
    await traffic.pay(10);
    const expected = await expectedOf(log, 'payments', from);
    await client.until(() => client.events('payments').length >= expected.length);
    expect(seen(client.events('payments'))).toEqual(expected);
    await client.close();
    await door.close();
  });

  it('clients that subscribe are told, and may try again', async () => {
    const log = new FailingLog();
    await Traffic.begin(log);
    const door = await openDoor(log);
    const client = await StreamClient.connect(door.port);
    log.failing = new Error('connection lost');
    client.subscribe('payment/p');
    expect(await client.first(({ error }) => error)).toMatchObject({ code: 'Unavailable', topic: 'payment/p' });
    log.failing = undefined;
    expect(await client.snapshot('payment/p')).toMatchObject({ state: null });
    await client.close();
    await door.close();
  });

  it('clients are sent away at a break in the log', async () => {
    const log = new FailingLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(log);
    const client = await StreamClient.connect(door.port);
    const from = await client.live('payments');
    log.failing = new LogCorruptionError('a gap', from + 1);
    await traffic.pay(1);
    expect(await client.closed).toEqual({ code: 1011, reason: JSON.stringify({ after: from }) });
    await door.close();
  });

  it('clients are sent away to before units that cannot be told', async () => {
    const log = new FailingLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(log);
    const client = await StreamClient.connect(door.port);
    const from = await client.live('payments');
    log.broken = true;
    await traffic.pay(5);
    expect(await client.closed).toEqual({ code: 1011, reason: JSON.stringify({ after: from }) });
    log.broken = false;
    const again = await StreamClient.connect(door.port);
    await again.live('payments', from);
    await traffic.pay(5);
    const expected = await expectedOf(log, 'payments', from);
    await again.until(() => again.events('payments').length >= expected.length);
    expect(seen(again.events('payments'))).toEqual(expected);
    await again.close();
    await door.close();
  });
});
