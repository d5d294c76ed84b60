import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { expectedOf, seen } from '../support/oracle.ts';
import type { Stage } from '../support/stage.ts';
import { Traffic } from '../support/traffic.ts';

const bufferedBytesMax = 65_536;

/** A client that reads too slowly is never skipped: live, it is closed and resumes; behind, it is waited for. */
export function slowClients(stage: () => Stage): void {
  describe('a client that stops reading', () => {
    it('is closed with 4008 and the position to resume from, and loses nothing', async () => {
      const { log } = stage();
      const traffic = await Traffic.begin(log);
      await stage().open({ bufferedBytesMax });
      const other = await stage().connect();
      const slow = await stage().connect();
      const from = await other.live('payments');
      await slow.live('payments', from);
      await slow.snapshot('account/w0');
      slow.socket.pause();
      while (stage().sessions === 2) await traffic.pay(200);
      await traffic.pay(50);

      // When it reads again, it gets what was on its way, and then the reason.
      slow.socket.resume();
      const { code, reason } = await slow.closed;
      const { after } = JSON.parse(reason) as { after: number };
      expect(code).toBe(4008);
      const before = slow.events('payments');
      expect(seen(before)).toEqual(
        (await expectedOf(log, 'payments', from)).filter(({ position }) => position <= after),
      );

      const again = await stage().connect();
      const expected = await expectedOf(log, 'payments', after);
      again.subscribe('payments', after);
      await again.until(() => again.events('payments').length >= expected.length);
      expect(seen(again.events('payments'))).toEqual(expected);
      // And nobody else noticed.
      await other.until(() => other.events('payments').at(-1)?.position === expected.at(-1)?.position);
    });

    it('is cut off when it is far behind at once, and resumes from what it has', async () => {
      const { log } = stage();
      const traffic = await Traffic.begin(log);
      await stage().open({ bufferedBytesMax: 16_384 });
      const slow = await stage().connect();
      const from = await slow.live('payments');
      slow.socket.pause();
      while (stage().sessions === 1) await traffic.pay(2_000);
      slow.socket.resume();
      await slow.closed;
      const has = slow.events('payments').length;
      const again = await stage().connect();
      const all = await expectedOf(log, 'payments', from);
      again.subscribe('payments', slow.units('payments').at(-1)?.position ?? from);
      await again.until(() => has + again.events('payments').length >= all.length);
      expect(seen([...slow.events('payments'), ...again.events('payments')])).toEqual(all);
    });

    it('is waited for while it catches up, and gets everything in the end', async () => {
      const { log } = stage();
      const traffic = await Traffic.begin(log);
      for (let round = 0; round < 40; round++) await traffic.pay(250);
      await stage().open({ bufferedBytesMax, readsMax: 1 });
      const slow = await stage().connect();
      slow.socket.pause();
      slow.subscribe('payments', 0);
      // While it is waited for, the only reader is free for others.
      const other = await stage().connect();
      for (let round = 0; round < 20; round++) {
        await traffic.pay(50);
        await other.snapshot(`account/other-${round}`);
      }
      await delay(50);
      slow.socket.resume();
      const expected = await expectedOf(log, 'payments');
      await slow.until(() => slow.events('payments').length >= expected.length);
      expect(seen(slow.events('payments'))).toEqual(expected);
    });

    it('and never reads again costs no more than it may, and is gone when the door closes', async () => {
      const { log } = stage();
      const traffic = await Traffic.begin(log);
      await stage().open({ bufferedBytesMax });
      const dead = await stage().connect();
      await dead.live('payments');
      dead.socket.pause();
      while (stage().sessions === 1) await traffic.pay(200);
      await stage().door.close();
      dead.socket.terminate();
      await dead.closed;
    });
  });
}
