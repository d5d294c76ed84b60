import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOtlpReceiver, type OtlpReceiver } from '../observability/otlp-receiver.ts';
import { http, Person } from './support/person.ts';
import { newLogin, openProduct, type Product } from './support/product.ts';
import { StreamConnection } from './support/stream.ts';
import { everyTable, tracesIn } from './support/traces.ts';

// After a full run (sign-ups, log-ins right and wrong, payments, refusals, faults) nothing that is personal or secret is
// anywhere in the clear: not in the log and its events, not in read models, not in any other table, not in a line that was
// logged at any level, not in metrics, not in what traces tell a collector, and not in what the stream sends.

let product: Product;
let receiver: OtlpReceiver;
let metrics = '';
const logins = {
  phone: newLogin(),
  email: `Ada.Lovelace-${randomBytes(4).toString('hex')}@example.com`,
};
const wrongPassword = `Wrong-${randomBytes(6).toString('hex')}-Guess`;
const secrets = new Set<string>([logins.phone, logins.email, wrongPassword]);
const streamed: string[] = [];

/** What somebody has that nobody else may find. */
const keep = (person: Person): Person => {
  const { login, password, token, refreshToken, address } = person;
  for (const secret of [login, password, refreshToken, address]) secrets.add(secret);
  // The signature is what makes it a token; its other parts are no secret by themselves.
  secrets.add(token.split('.')[2] ?? token);
  return person;
};

beforeAll(async () => {
  receiver = await openOtlpReceiver();
  product = await openProduct({ KORA_OTLP_URL: receiver.url });
  const [ada, ben] = [keep(await product.signUp(logins.phone)), keep(await product.signUp(logins.email))];
  const mia = keep(await product.staff('merchant'));
  const ina = keep(await product.staff('admin'));
  for (const person of [ada, ben]) {
    keep(person);
    await person.refresh();
    keep(person);
    await new Person(product.http, person.login, wrongPassword).credentials('log-in');
    await person.credentials('sign-up');
  }
  // As people type it.
  await new Person(product.http, logins.phone.replace(/^(\+221)(..)(.*)/, '$1 $2 $3'), wrongPassword).credentials(
    'log-in',
  );
  const [adas, bens, mias] = [await ada.openAccount(), await ben.openAccount(), await mia.openAccount('merchant')];
  await product.fund(adas, '5000');

  const stream = await StreamConnection.must(product.stream, {
    authorization: `Bearer ${ada.token}`,
    'kora-device': ada.device,
  });
  const watching = await StreamConnection.must(product.stream, {
    authorization: `Bearer ${await product.serviceToken()}`,
  });
  stream.send({ subscribe: { topic: `account/${adas}` } });
  watching.send({ subscribe: { topic: 'payments', after: 0 } });
  await watching.about('payments');

  const xof = { currency: 'XOF' };
  const pay = (body: object) => ada.call('POST', '/v1/payments', { body: { ...xof, ...body } });
  await pay({ kind: 'P2P', payer: adas, payee: bens, amount: '100' });
  await pay({ kind: 'P2P', payer: adas, payee: bens, amount: '999999' });
  const bought = (await pay({ kind: 'MERCHANT', payer: adas, payee: mias, amount: '200' })).body as {
    paymentId: string;
  };
  await product.service('POST', `/v1/payments/${bought.paymentId}/settle`, { body: {} });
  await mia.call('POST', `/v1/payments/${bought.paymentId}/refund`, { body: { amount: '50' } });
  const cashOut = { ...xof, kind: 'CASH_OUT', payer: adas, provider: 'cash', amount: '10' };
  await ada.signed('POST', '/v1/payments', cashOut);
  await pay(cashOut);
  const next = `Next-Pony-${randomBytes(6).toString('hex')}`;
  secrets.add(next);
  await ada.signed('POST', '/v1/identity/password', { current: ada.password, next });
  await ina.signed('POST', `/v1/accounts/${bens}/freeze`, { reason: 'reported as stolen' });
  await ben.call('POST', '/v1/payments', { body: { ...xof, kind: 'P2P', payer: bens, payee: adas, amount: '1' } });

  // What clients say where it does not belong.
  const misplaced = {
    'user-agent': logins.email,
    referer: `https://x.example/?login=${logins.phone}`,
    cookie: wrongPassword,
    tracestate: `login=${logins.phone}`,
    baggage: `password=${wrongPassword}`,
    traceparent: logins.email,
  };
  for (const path of [
    `/v1/accounts?login=${encodeURIComponent(logins.email)}`,
    `/v1/${logins.email}`,
    `/v1/accounts/${logins.phone}`,
  ]) {
    await ada.call('GET', path, { headers: misplaced });
    await http(product.rpc, 'POST', path, { body: {}, headers: misplaced });
    await StreamConnection.open(`${product.stream.replace('/stream', '')}${path}`, {
      ...misplaced,
      authorization: `Bearer ${ada.token}`,
    });
  }
  await ada.call('POST', '/v1/payments', { raw: `{"password":"${wrongPassword}"` });
  await ada.call('POST', '/v1/payments', { body: { [logins.email]: wrongPassword } });
  await product.callRpc('PaymentService/Pay', { [wrongPassword]: logins.email }, await product.serviceToken());
  await http(product.http, 'GET', '/v1/accounts', { token: `${ada.token}x`, device: ada.device });
  await StreamConnection.open(`${product.stream}?token=${ada.token}`, {});
  stream.send({ subscribe: { topic: logins.email } });
  stream.send({ [logins.phone]: wrongPassword });

  // Faults: the store is cut off while people log in and pay.
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
  for (let round = 0; round < 5; round++) {
    const calls = [
      ben.credentials('log-in'),
      ben.refresh(),
      pay({ kind: 'P2P', payer: adas, payee: bens, amount: '1' }),
    ];
    await product.database.query(cut);
    await Promise.all(calls);
    keep(ben);
  }
  while ((await ben.credentials('log-in')).status !== 200) await sleep(200);
  keep(ben);
  await ben.call('POST', '/v1/identity/log-out');
  await product.kora.projected();
  streamed.push(JSON.stringify(stream.messages), JSON.stringify(watching.messages));
  stream.close();
  watching.close();
  metrics = await (await fetch(`http://127.0.0.1:${product.kora.metricsPort ?? 0}/metrics`)).text();
  // Spans are sent at the end of each second.
  await sleep(1_500);
}, 180_000);
afterAll(async () => {
  await product.close();
  await receiver.close();
});

describe('nothing personal and no secret', () => {
  it('is in any table', async () => {
    const tables = await everyTable(product.database);
    // The run was a full one: whatever could hold something does.
    const filled = [...tables].filter(([, rows]) => rows.length > 0).map(([name]) => name);
    for (const name of [
      'identity.users',
      'identity.sessions',
      'identity.audit',
      'identity.attempts',
      'gateway.idempotency_log',
    ]) {
      expect(filled).toContain(name);
    }
    expect(filled.some((name) => name.startsWith('eventstore.log'))).toBe(true);
    expect(filled.some((name) => name.startsWith('projections.payments'))).toBe(true);
    for (const [name, rows] of tables) expect(tracesIn(name, rows.join('\n'), [...secrets])).toEqual([]);
  });

  it('is in the log as it is read', async () => {
    let events = 0;
    for await (const unit of product.kora.log.readAll(0)) {
      events += 1;
      expect(tracesIn(`position ${unit.lastPosition}`, JSON.stringify(unit, asText), [...secrets])).toEqual([]);
    }
    expect(events).toBeGreaterThan(10);
  });

  it('is in a line that was logged', () => {
    const levels = new Set(product.lines.map((line) => (JSON.parse(line) as { level: string }).level));
    // Everything from the smallest remark to faults.
    for (const level of ['debug', 'info']) expect([...levels]).toContain(level);
    expect(levels.has('warn') || levels.has('error')).toBe(true);
    for (const line of product.lines) expect(tracesIn(line, line, [...secrets])).toEqual([]);
  });

  it('is in metrics', () => {
    expect(metrics).toMatch(
      /^kora_http_requests_total\{method="POST",route="\/v1\/identity\/log-in",status="401"\} [1-9]/m,
    );
    expect(metrics).toMatch(/^kora_commands_total\{type="Pay",outcome="InsufficientFunds"\} [1-9]/m);
    expect(tracesIn('metrics', metrics, [...secrets])).toEqual([]);
  });

  it('is in what a collector is sent', () => {
    const names = new Set(receiver.spans.map(({ name }) => name));
    expect([...names].sort()).toEqual(['http.request', 'log.append', 'rpc.call', 'runtime.command']);
    expect(receiver.spans.length).toBeGreaterThan(30);
    for (const body of receiver.bodies) expect(tracesIn('spans', body, [...secrets])).toEqual([]);
  });

  it('is sent over the stream', () => {
    expect(streamed.join('').length).toBeGreaterThan(1_000);
    expect(tracesIn('stream', streamed.join('\n'), [...secrets])).toEqual([]);
  });

  it('would be found if it were there', async () => {
    const [secret = ''] = secrets;
    await product.database.query('create table planted (text text, bytes bytea, json jsonb)');
    await product.database.query('insert into planted values ($1, $2, $3)', [
      `x${secret}x`,
      Buffer.from(`xx${secret}`),
      JSON.stringify({ base64: Buffer.from(`x${secret}y`).toString('base64') }),
    ]);
    const rows = (await everyTable(product.database)).get('public.planted') ?? [];
    const found = tracesIn('planted', rows.join('\n'), [secret]).map(({ spelling }) => spelling);
    expect(found).toContain(secret);
    expect(found).toContain(Buffer.from(secret).toString('hex'));
    expect(found.length).toBeGreaterThanOrEqual(3);
    await product.database.query('drop table planted');
  });
});

function asText(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
}
