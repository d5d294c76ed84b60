/** `ws` with as little as possible around it: sets of sockets by topic, a message encoded once for all. Forked. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { serveFanOut, topic } from '../../doors/fan-out-server.ts';
import { nextUnit } from './unit.ts';

serveFanOut(async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const watchers = new Map<string, Set<WebSocket>>();
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const { subscribe } = JSON.parse(data.toString()) as { subscribe: { topic: string } };
      let ofTopic = watchers.get(subscribe.topic);
      if (ofTopic === undefined) watchers.set(subscribe.topic, (ofTopic = new Set()));
      ofTopic.add(socket);
      socket.on('close', () => ofTopic.delete(socket));
      socket.send(JSON.stringify({ live: { topic: subscribe.topic } }));
    });
  });
  await once(server, 'listening');
  const unit = nextUnit();
  return {
    port: (server.address() as AddressInfo).port,
    token: '',
    publish: () => {
      const text = Buffer.from(JSON.stringify({ unit: unit() }));
      for (const socket of watchers.get(topic) ?? []) socket.send(text, { binary: false });
    },
    close: () => server.close(),
  };
});
