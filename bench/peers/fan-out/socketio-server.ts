/** socket.io as its documentation has it: a room for the topic, WebSocket only, no compression (its default). Forked. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveFanOut, topic } from '../../doors/fan-out-server.ts';
import { nextUnit } from './unit.ts';

/** What is used of it. Its own types are not there where the peers are not installed. */
interface SocketIo {
  readonly Server: new (
    http: HttpServer,
    options: { transports: string[]; serveClient: boolean },
  ) => {
    on(event: 'connection', connected: (socket: ServerSocket) => void): void;
    to(room: string): { emit(event: string, body: object): boolean };
    close(): Promise<void>;
  };
}
interface ServerSocket {
  on(event: string, heard: (name: string) => void): void;
  join(room: string): Promise<void> | void;
  emit(event: string, body: object): boolean;
}

const packageName: string = 'socket.io';

serveFanOut(async () => {
  const { Server } = (await import(packageName)) as SocketIo;
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
