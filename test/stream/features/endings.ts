import { describe, expect, it } from 'vitest';
import { RawSocket } from '../support/raw-socket.ts';
import type { Stage } from '../support/stage.ts';
import { Traffic } from '../support/traffic.ts';

/** How everybody is sent away. */
export function endings(stage: () => Stage): void {
  describe('a connection ends', () => {
    it('when its token does, and says where to resume', async () => {
      await stage().open();
      await Traffic.begin(stage().log);
      const token = stage().tokens.service('short', { expiresAtMs: Date.now() + 500 });
      const client = await stage().connect({ token });
      const from = await client.live('payments');
      expect(await client.closed).toEqual({ code: 4401, reason: JSON.stringify({ after: from }) });
    });

    it('when the door closes, and says where to resume', async () => {
      const { log } = stage();
      await stage().open();
      await Traffic.begin(log);
      const client = await stage().connect();
      await client.live('payments', 0);
      await stage().door.close();
      expect(await client.closed).toEqual({ code: 1001, reason: JSON.stringify({ after: log.store.last }) });
    });

    it('when the client does not even answer pings any more, and not while it does', async () => {
      await stage().open({ idleTimeoutMs: 8_000 });
      const quiet = await stage().connect();
      let pings = 0;
      quiet.socket.on('ping', () => (pings += 1));
      const dead = await stage().connect({ autoPong: false });
      expect(await dead.closed).toMatchObject({ code: 1006 });
      quiet.send({ ping: 1 });
      expect(await quiet.first(({ pong }) => pong)).toBe(1);
      expect(pings).toBeGreaterThan(0);
    });

    it('before it begins, when the client connects and says nothing, or only half of it', async () => {
      const { port } = await stage().open();
      const silent = [new RawSocket(port), new RawSocket(port)];
      silent[1]?.socket.write('GET /stream HTTP/1.1\r\nhost: ko');
      await Promise.all(silent.map(({ closed }) => closed));
    }, 40_000);
  });
}
