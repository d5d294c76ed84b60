import { describe, expect, it } from 'vitest';
import { expectedOf, seen } from '../support/oracle.ts';
import { ResumingClient } from '../support/resuming-client.ts';
import type { Stage } from '../support/stage.ts';
import { Traffic } from '../support/traffic.ts';

/** Resuming where another door stood before. */
export function restarts(stage: () => Stage): void {
  describe('a restart of the server', () => {
    it('in the middle of payments loses nothing and repeats nothing', async () => {
      const { log } = stage();
      const traffic = await Traffic.begin(log);
      const client = new ResumingClient();
      const { port } = await stage().openToReopen();
      await client.connect(port);
      const topics = ['payments', 'account/w1', 'account/float:cash:XOF'];
      for (const topic of topics) client.watch(topic, 0);
      for (let round = 0; round < 5; round++) {
        const gone = client.gone();
        const closing = stage().door.close();
        await traffic.pay(100);
        await closing;
        expect(await gone).toMatchObject({ code: 1001 });
        await traffic.pay(50);
        await stage().open({}, { port });
        await client.connect(port);
        await traffic.pay(50);
      }
      for (const topic of topics) {
        const expected = await expectedOf(log, topic);
        const kept = client.topics.get(topic);
        await client.until(() => (kept?.events.length ?? 0) >= expected.length);
        expect([topic, seen(kept?.events ?? [])]).toEqual([topic, expected]);
      }
      await client.cut();
    });
  });
}
