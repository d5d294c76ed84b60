import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { errorsOf, staged } from './support/stage.ts';
import { Traffic } from './support/traffic.ts';

/** Proves that a connection lives as long as its principal has a token that is good, and no longer. */
const stage = staged();

beforeEach(async () => {
  await stage().open({ recheckMs: 20 });
  await Traffic.begin(stage().log);
});

const inMs = (ms: number): { expiresAtMs: number } => ({ expiresAtMs: Date.now() + ms });

describe('a new token on the open connection', () => {
  it('of the same principal keeps it, past the end of the old one', async () => {
    stage().tokens.user('first', 'ada', inMs(400));
    const second = inMs(1_000_000);
    stage().tokens.user('second', 'ada', second);
    const client = await stage().connect({ token: 'first' });
    client.send({ token: 'second' });
    const { tokenExpiresAt } = await client.first(({ refreshed }) => refreshed);
    expect(tokenExpiresAt).toBe(new Date(second.expiresAtMs).toISOString());
    await delay(500);
    client.send({ ping: 'still here' });
    await client.first(({ pong }) => pong);
    // The end of the new one counts now, and so does the end of its session.
    stage().tokens.end('first');
    await delay(100);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    stage().tokens.end('second');
    expect(await client.closed).toMatchObject({ code: 4403 });
  });

  it('can be given again and again', async () => {
    stage().tokens.service('token-0', inMs(300));
    const client = await stage().connect({ token: 'token-0' });
    for (let round = 1; round <= 5; round++) {
      await delay(150);
      client.send({ token: stage().tokens.service(`token-${round}`, inMs(300)) });
      await client.until(() => client.received.filter(({ refreshed }) => refreshed !== undefined).length === round);
    }
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('of another principal, or another tenant, or that is no good, is refused, and the old one counts on', async () => {
    stage().tokens.user('ada', 'ada', inMs(600));
    stage().tokens.user('ben', 'ben');
    stage().tokens.user('elsewhere', 'ada', { tenant: 'elsewhere' });
    stage().tokens.user('over', 'ada', inMs(-1));
    const client = await stage().connect({ token: 'ada' });
    for (const token of ['ben', 'elsewhere', 'over', 'nonsense']) client.send({ token });
    await client.until(() => errorsOf(client).length === 4);
    expect(errorsOf(client)).toEqual(['BadToken', 'BadToken', 'BadToken', 'BadToken']);
    expect(client.received.some(({ refreshed }) => refreshed !== undefined)).toBe(false);
    expect(JSON.stringify(client.received)).not.toContain('nonsense');
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('that is no good is a message that makes no sense: whoever guesses is sent away', async () => {
    const client = await stage().connect();
    for (let guess = 0; guess < 5; guess++) client.send({ token: `guess-${guess}` });
    expect(await client.closed).toMatchObject({ code: 4400 });
  });

  it('of the same device alone is taken', async () => {
    stage().tokens.user('phone', 'ada', { deviceId: 'phone' });
    stage().tokens.user('phone-later', 'ada', { deviceId: 'phone' });
    stage().tokens.user('stolen', 'ada', { deviceId: 'laptop' });
    const client = await stage().connect({ token: 'phone', device: 'phone' });
    client.send({ token: 'stolen' });
    expect(await client.first(({ error }) => error)).toMatchObject({ code: 'BadToken' });
    client.send({ token: 'phone-later' });
    await client.first(({ refreshed }) => refreshed);
  });

  it('that was sent in time counts, however long it takes to look at it', async () => {
    stage().tokens.user('first', 'ada', inMs(200));
    stage().tokens.user('second', 'ada');
    const client = await stage().connect({ token: 'first' });
    let answer = (): void => undefined;
    stage().tokens.held = new Promise((resolve) => (answer = resolve));
    client.send({ token: 'second' });
    await delay(400);
    answer();
    stage().tokens.held = undefined;
    await client.first(({ refreshed }) => refreshed);
    client.send({ ping: 1 });
    await client.first(({ pong }) => pong);
  });

  it('that was sent in time and is no good saves nothing', async () => {
    stage().tokens.user('first', 'ada', inMs(200));
    const client = await stage().connect({ token: 'first' });
    let answer = (): void => undefined;
    stage().tokens.held = new Promise((resolve) => (answer = resolve));
    client.send({ token: 'nonsense' });
    await delay(400);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    answer();
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('may bring new rights', async () => {
    stage().tokens.user('customer', 'ada');
    stage().tokens.user('support', 'ada', { roles: ['support'] });
    const client = await stage().connect({ token: 'customer' });
    client.subscribe('payments');
    expect(await client.first(({ error }) => error)).toMatchObject({ code: 'NotFound' });
    client.send({ token: 'support' });
    await client.first(({ refreshed }) => refreshed);
    await client.live('payments', 0);
  });
});

describe('while tokens cannot be checked', () => {
  it('connections stay, until their tokens end', async () => {
    const client = await stage().connect({ token: stage().tokens.user('ada', 'ada', inMs(500)) });
    stage().tokens.failing = true;
    await delay(200);
    // It may be sent again and again: it is not the client that is wrong.
    for (let tries = 0; tries < 8; tries++) client.send({ token: 'ada' });
    await client.until(() => errorsOf(client).length === 8);
    expect(new Set(errorsOf(client))).toEqual(new Set(['Unavailable']));
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('what was lost meanwhile is noticed afterwards', async () => {
    const client = await stage().connect({ token: stage().tokens.user('ada', 'ada') });
    stage().tokens.failing = true;
    stage().tokens.end('ada');
    await delay(100);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    stage().tokens.failing = false;
    expect(await client.closed).toMatchObject({ code: 4403 });
  });
});

it('a connection that has ended asks nothing any more', async () => {
  const client = await stage().connect();
  await client.close();
  await stage().untilSessions(0);
  await delay(50);
  const { asked } = stage().tokens;
  await delay(200);
  expect(stage().tokens.asked).toBe(asked);
});
