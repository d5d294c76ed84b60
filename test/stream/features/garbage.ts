import { describe, expect, it } from 'vitest';
import { randomly } from '../support/jittery-log.ts';
import { frame, RawSocket } from '../support/raw-socket.ts';
import type { Stage } from '../support/stage.ts';
import { Traffic } from '../support/traffic.ts';

const broken: [string, Buffer][] = [
  ['a frame that is not masked', frame('{"ping":1}', { masked: false })],
  ['an opcode that there is not', frame('{"ping":1}', { opcode: 5 })],
  ['reserved bits', frame('{"ping":1}', { reserved: 7 })],
  ['a control frame in pieces', frame('', { opcode: 9, fin: false })],
  ['a text that is no UTF-8', frame(Buffer.from([0xc3, 0x28]))],
  ['a piece of nothing', frame('"whole"}', { opcode: 0 })],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: kora\r\n\r\n'.repeat(20))],
];

/** A client that sends what is no WebSocket harms itself, and nobody else. */
export function garbage(stage: () => Stage): void {
  describe('a client that sends garbage', () => {
    /** Another client is served before, meanwhile and after. */
    async function harmless(harm: (port: number) => Promise<void>): Promise<void> {
      // The shortest there is: uWebSockets takes an unmasked frame for the beginning of a long one, and waits it out.
      const { port } = await stage().open({ idleTimeoutMs: 8_000 });
      const traffic = await Traffic.begin(stage().log);
      const other = await stage().connect();
      await other.live('payments', 0);
      await harm(port);
      await traffic.pay(10);
      const { last } = stage().log.store;
      await other.until(() => other.units('payments').at(-1)?.position === last);
      await stage().untilSessions(1);
    }

    it.each(broken)('%s ends its connection', async (_, bytes) => {
      await harmless(async (port) => {
        const raw = await RawSocket.upgraded(port);
        raw.socket.write(bytes);
        await raw.closed;
      });
    });

    it('noise ends its connection, or is waited out', async () => {
      const random = randomly(7, 256);
      await harmless(async (port) => {
        for (let round = 0; round < 50; round++) {
          const raw = await RawSocket.upgraded(port);
          raw.socket.write(Buffer.from(Array.from({ length: 2_048 }, random)));
          // What looks like the beginning of a long frame is waited for.
          await Promise.race([raw.closed, new Promise((resolve) => setTimeout(resolve, 20))]);
          raw.socket.destroy();
        }
      });
    });

    it('a handshake that is none is refused, or ends the connection', async () => {
      const { port } = await stage().open();
      const head = 'GET /stream HTTP/1.1\r\nhost: kora\r\nupgrade: websocket\r\nconnection: Upgrade\r\n';
      const requests = [
        `${head}authorization: Bearer good\r\nsec-websocket-version: 13\r\n\r\n`,
        `${head}authorization: Bearer good\r\nsec-websocket-version: 13\r\nsec-websocket-key: short\r\n\r\n`,
        `${head}x: ${'y'.repeat(100_000)}\r\n\r\n`,
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
        'hello?\r\n\r\n',
      ];
      for (const request of requests) {
        const raw = new RawSocket(port);
        raw.socket.end(request, 'latin1');
        await raw.closed;
        expect(raw.text).not.toContain('"hello"');
      }
      await stage().untilSessions(0);
      const client = await stage().connect();
      await client.snapshot('payment/a');
    });

    it('one that breaks off in the middle of everything is forgotten', async () => {
      const { port } = await stage().open();
      for (let round = 0; round < 20; round++) {
        const raw = await RawSocket.upgraded(port);
        for (let index = 0; index < 20; index++) {
          raw.socket.write(frame(`{"subscribe":{"topic":"payment/${round}-${index}"}}`));
        }
        raw.socket.resetAndDestroy();
      }
      await stage().untilSessions(0);
      expect(stage().door.feed.store.getSnapshot().context.topics.size).toBe(0);
    });
  });
}
