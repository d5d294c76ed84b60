import { topic } from './fan-out-server.ts';
import type { Dialect, WatchedUnit } from './watching-socket.ts';

const [u, four, two] = ['u', '4', '2'].map((letter) => letter.charCodeAt(0));

/** `{"unit":{…}}`, as docs/stream.md has it. */
const isUnit: Dialect['isEvent'] = (bytes, from) => bytes[from + 2] === u;
const readUnit = (message: string): WatchedUnit => (JSON.parse(message) as { unit: WatchedUnit }).unit;
const subscribe = JSON.stringify({ subscribe: { topic } });

export const koraDialect: Dialect = {
  path: '/stream',
  opening: undefined,
  reply: (message) => (message.startsWith('{"hello"') ? subscribe : undefined),
  // With its snapshot it is live.
  isLive: (message) => message.startsWith('{"snapshot"'),
  isEvent: isUnit,
  read: readUnit,
};

export const wsDialect: Dialect = {
  path: '/',
  opening: subscribe,
  reply: () => undefined,
  isLive: (message) => message.startsWith('{"live"'),
  isEvent: isUnit,
  read: readUnit,
};

/**
 * Engine.IO 4 and Socket.IO 5 on a WebSocket: `0` open, `2` ping, `3` pong, `40` connect, `42` event.
 *
 * @see https://socket.io/docs/v4/engine-io-protocol/
 * @see https://socket.io/docs/v4/socket-io-protocol/
 */
export const socketIoDialect: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  opening: undefined,
  reply: (message) => {
    if (message.startsWith('0')) return '40';
    if (message.startsWith('40')) return `42["subscribe","${topic}"]`;
    return message === '2' ? '3' : undefined;
  },
  isLive: (message) => message.startsWith('42["live"'),
  isEvent: (bytes, from) => bytes[from] === four && bytes[from + 1] === two && bytes[from + 4] === u,
  read: (message) => (JSON.parse(message.slice(2)) as ['unit', WatchedUnit])[1],
};
