import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpProduct, openProduct, type Someone } from './support/product.ts';

/** Proves what the door takes, what it refuses, and what it tells browsers: whatever is asked for. */
describe('the http door', () => {
  let product: HttpProduct;
  let ada: Someone;
  let adas: string;
  beforeAll(async () => {
    product = await openProduct({ allowedOrigins: ['https://app.example'], limits: { bodyBytesMax: 2_000 } });
    ada = await product.user('customer');
    adas = (await product.must(ada, 'POST', '/v1/accounts', { body: { type: 'customer', currency: 'XOF' } })).body
      .accountId;
  });
  afterAll(() => product.close());

  const pay = { kind: 'P2P', amount: '1', currency: 'XOF', payer: 'x', payee: 'y' };
  const post = (init: Omit<RequestInit, 'headers'> & { headers: Record<string, string> }) =>
    fetch(`${product.url}/v1/payments`, {
      method: 'POST',
      ...init,
      headers: { 'idempotency-key': 'k', ...ada.headers, ...init.headers },
    });
  const json = { 'content-type': 'application/json' };

  describe('takes', () => {
    it.each([
      ['text/plain', 415],
      ['application/x-www-form-urlencoded', 415],
      ['application/json; charset=latin1', 415],
      ['application/xml', 415],
      ['application/jsonx', 415],
      ['nonsense', 415],
      ['application/json; charset=utf-8', 404],
      ['application/json', 404],
      ['Application/JSON', 404],
    ])('JSON in UTF-8 and nothing else: %s is %i', async (type, status) => {
      const answer = await post({ body: JSON.stringify({ ...pay, payee: 'y' }), headers: { 'content-type': type } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    });

    it('no body that is compressed, is not JSON, is not in UTF-8, or is empty', async () => {
      const zipped = await post({ body: '{}', headers: { ...json, 'content-encoding': 'gzip' } });
      const broken = await post({ body: '{"kind":', headers: json });
      const latin = await post({ body: Buffer.from([0x7b, 0x22, 0xe4, 0x22, 0x3a, 0x31, 0x7d]), headers: json });
      const empty = await post({ body: '', headers: json });
      const poisoned = await post({ body: '{"__proto__":{"roles":["admin"]}}', headers: json });
      expect([zipped.status, broken.status, latin.status, empty.status, poisoned.status]).toEqual([
        415, 400, 400, 400, 400,
      ]);
    });

    it('no body that is too large, whether it says so or not', async () => {
      const large = JSON.stringify({ ...pay, filler: 'x'.repeat(2_000) });
      const told = await post({ body: large, headers: json });
      const untold = await post({ body: new Blob([large]).stream(), headers: json, duplex: 'half' });
      for (const answer of [told, untold]) {
        expect(answer.status).toBe(413);
        expect(await answer.json()).toMatchObject({ code: 'BodyTooLarge' });
      }
    });

    it('no field that it does not know, and no type but the one it wants', async () => {
      const wrong: [object, string, RegExp][] = [
        [{ ...pay, captureAmmount: '1' }, 'captureAmmount', /not known here/],
        [{ ...pay, amount: 1 }, 'amount', /string is wanted/],
        [{ ...pay, amount: '01' }, 'amount', /minor units as text/],
        [{ ...pay, amount: '-1' }, 'amount', /minor units as text/],
        [{ ...pay, amount: '1e3' }, 'amount', /minor units as text/],
        [{ ...pay, amount: '9'.repeat(31) }, 'amount', /30 at most/],
        [{ ...pay, currency: 'FOO' }, 'currency', /ISO 4217/],
        [{ ...pay, kind: 'GIFT' }, 'kind', /one of P2P, CASH_IN/],
        [{ ...pay, kind: undefined }, 'kind', /is missing/],
        [{ ...pay, payer: 'float:cash:XOF' }, 'payer', /id of a wallet/],
        [{ ...pay, payer: '\u0000' }, 'payer', /id of a wallet/],
      ];
      for (const [body, field, detail] of wrong) {
        const answer = await product.call(ada, 'POST', '/v1/payments', { body });
        expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, 'Invalid', field]);
        expect(answer.body.detail).toMatch(detail);
      }
      for (const [path, field] of [
        ['/v1/payments?limit=0', 'limit'],
        ['/v1/payments?limit=201', 'limit'],
        ['/v1/payments?limit=ten', 'limit'],
        ['/v1/payments?limit=1&limit=2', 'limit'],
        ['/v1/payments?from=yesterday', 'from'],
        ['/v1/payments?from=2026-02-30T00:00:00Z', 'from'],
        ['/v1/payments?acount=x', 'acount'],
        [`/v1/accounts/${adas}/balance?position=-1`, 'position'],
        [`/v1/accounts/${adas}?fields=all`, 'fields'],
      ] as const) {
        const answer = await product.call(ada, 'GET', path);
        expect([answer.status, answer.body.code, answer.body.field], path).toEqual([400, 'Invalid', field]);
      }
    });
  });

  describe('ties things together', () => {
    it('by the correlation id that it is given, in every kind of answer', async () => {
      const asked: [string, string, Someone | undefined][] = [
        ['GET', `/v1/accounts/${adas}`, ada],
        ['GET', '/v1/accounts/nobody', ada],
        ['GET', `/v1/accounts/${adas}`, undefined],
        ['GET', '/nothing/here', undefined],
        ['GET', '/v1/payments?limit=x', ada],
        ['POST', '/v1/payments', ada],
        ['GET', '/health/live', undefined],
        ['GET', '/v1/accounts/%ff', ada],
      ];
      for (const [index, [method, path, who]] of asked.entries()) {
        const id = `given-${index}`;
        const answer = await product.call(who, method, path, { headers: { 'kora-correlation-id': id } });
        expect(answer.headers.get('kora-correlation-id'), path).toBe(id);
        if (answer.status >= 400) expect(answer.body.correlationId, path).toBe(id);
      }
      const written = product.lines.map((line) => JSON.parse(line) as { correlationId?: string });
      expect(written.filter(({ correlationId }) => correlationId?.startsWith('given-')).length).toBeGreaterThan(5);
    });

    it('or by one of its own', async () => {
      const [one, two] = await Promise.all([1, 2].map(() => product.call(ada, 'GET', `/v1/accounts/${adas}`)));
      expect(one?.headers.get('kora-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(one?.headers.get('kora-correlation-id')).not.toBe(two?.headers.get('kora-correlation-id'));
    });

    it('and refuses one that cannot be one', async () => {
      for (const bad of ['two words', 'x'.repeat(129)]) {
        const answer = await product.call(ada, 'GET', `/v1/accounts/${adas}`, {
          headers: { 'kora-correlation-id': bad },
        });
        expect([answer.status, answer.body.field]).toEqual([400, 'Kora-Correlation-Id']);
        expect(answer.headers.get('kora-correlation-id')).not.toBe(bad);
      }
    });
  });

  describe('tells browsers', () => {
    it('that answers are data which nobody runs, frames or keeps', async () => {
      for (const path of [`/v1/accounts/${adas}`, '/v1/accounts/nobody', '/health/live', '/nothing']) {
        const { headers } = await product.call(ada, 'GET', path);
        expect(headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('x-frame-options')).toBe('DENY');
        expect(headers.get('strict-transport-security')).toContain('max-age=');
        expect(headers.get('referrer-policy')).toBe('no-referrer');
        expect(headers.get('cache-control')).toBe('no-store');
        expect(headers.get('x-powered-by')).toBeNull();
      }
    });

    it('which pages may call: those of the list, and no others', async () => {
      const preflight = (origin: string) =>
        fetch(`${product.url}/v1/payments`, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization,idempotency-key,content-type',
          },
        });
      const welcome = await preflight('https://app.example');
      expect(welcome.status).toBe(204);
      expect(welcome.headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect(welcome.headers.get('access-control-allow-headers')).toContain('idempotency-key');
      expect(welcome.headers.get('access-control-allow-credentials')).toBeNull();
      for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'null', 'http://app.example']) {
        expect((await preflight(origin)).headers.get('access-control-allow-origin'), origin).toBeNull();
        const answer = await product.call(ada, 'GET', `/v1/accounts/${adas}`, { headers: { origin } });
        expect(answer.headers.get('access-control-allow-origin'), origin).toBeNull();
      }
      const answer = await product.call(ada, 'GET', '/v1/accounts/nobody', {
        headers: { origin: 'https://app.example' },
      });
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect(answer.headers.get('access-control-expose-headers')).toContain('kora-correlation-id');
    });

    it('of no page by default', async () => {
      const door = await product.open({ allowedOrigins: [] });
      const answer = await fetch(`http://127.0.0.1:${door.port}/health/live`, {
        headers: { origin: 'https://app.example' },
      });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    });
  });

  describe('documents itself', () => {
    it('in OpenAPI 3.1, as the file in docs has it', async () => {
      const { body } = await product.must(undefined, 'GET', '/openapi.json');
      const { default: file } = await import('../../docs/openapi.json', { with: { type: 'json' } });
      expect(body).toEqual(file);
      expect(body.openapi).toBe('3.1.0');
    });

    it('on a page that needs nobody else', async () => {
      const page = await fetch(`${product.url}/docs`);
      expect(page.status).toBe(200);
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toContain('http');
      const html = await page.text();
      const assets = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, address]) => address ?? '');
      expect(assets.length).toBeGreaterThan(3);
      expect(html, 'no script or handler in the page itself').not.toMatch(/<script(?![^>]* src=)|\son\w+=/);
      for (const address of assets) {
        const url = new URL(address, `${product.url}/docs`);
        expect(url.origin, address).toBe(product.url);
        const asset = await fetch(url);
        expect(asset.status, address).toBe(200);
        await asset.arrayBuffer();
      }
    });
  });

  it('says what it cannot read, and closes', async () => {
    const socket = connect(product.door.port, '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain('kora-correlation-id');
  });

  it('says of headers that are too large that they are', async () => {
    const answer = await fetch(`${product.url}/health/live`, { headers: { filler: 'x'.repeat(20_000) } });
    expect([answer.status, await answer.json()]).toMatchObject([431, { code: 'HeadersTooLarge' }]);
  });
});
