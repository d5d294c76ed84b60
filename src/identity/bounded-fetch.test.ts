import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { boundedFetch } from './bounded-fetch.ts';

let written = 0;
const server = createServer((request, response) => {
  if (request.url === '/small') {
    response.writeHead(404, { 'x-said': 'yes' }).end('{"a":1}');
    return;
  }
  const more = (): void => {
    while (!response.destroyed) {
      written += 65_536;
      if (!response.write(Buffer.alloc(65_536, 0x20))) break;
    }
  };
  response.on('drain', more);
  more();
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

it('gives an answer as it is', async () => {
  const answer = await boundedFetch(`${url}/small`, {});
  expect([answer.status, answer.headers.get('x-said'), await answer.json()]).toEqual([404, 'yes', { a: 1 }]);
});

it('reads no more of an answer without end than an honest one has', async () => {
  await expect(boundedFetch(`${url}/endless`, {})).rejects.toThrow(/more than 1048576 bytes/);
  // What is in the buffers of both sides beside it.
  expect(written).toBeLessThan(64 * 1024 * 1024);
});
