/** socket.io as its documentation has it: a room for the topic, WebSocket only, no compression (its default). Forked. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { serveFanOut, topic } from '../../doors/fan-out-server.ts';
import { nextUnit } from './unit.ts';

serveFanOut(async () => {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false });
  io.on('connection', (socket) => {
    socket.on('subscribe', (name: string) => {
      void socket.join(name);
      socket.emit('live', { topic: name });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const unit = nextUnit();
  return {
    port: (http.address() as AddressInfo).port,
    token: '',
    publish: () => void io.to(topic).emit('unit', unit()),
    close: () => io.close(),
  };
});
