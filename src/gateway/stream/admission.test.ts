import { describe, expect, it } from 'vitest';
import { chosenProtocol, deviceOf, originAllowed, tokenOf } from './admission.ts';
import type { ConnectRequest } from './transport.ts';

/** Proves what is read from a request to connect. */
const request = (said: Partial<ConnectRequest>): ConnectRequest => ({
  authorization: '',
  protocols: '',
  origin: '',
  device: '',
  address: '127.0.0.1',
  forwardedFor: '',
  ...said,
});

describe('a request to connect', () => {
  it.each([
    [{}, undefined],
    [{ authorization: 'Bearer a.b.c' }, 'a.b.c'],
    [{ authorization: 'bearer  a.b.c ' }, 'a.b.c'],
    [{ authorization: 'Basic YTpi' }, undefined],
    [{ protocols: 'kora.v1, kora.token.a.b.c' }, 'a.b.c'],
    [{ authorization: 'Bearer header', protocols: 'kora.token.protocol' }, 'header'],
  ])('with %j has the token %s', (said, token) => {
    expect(tokenOf(request(said))).toBe(token);
  });

  it.each([
    [{}, undefined],
    [{ device: 'd1' }, 'd1'],
    [{ protocols: 'kora.v1,kora.device.d1' }, 'd1'],
    [{ device: 'd2', protocols: 'kora.device.d1' }, 'd2'],
  ])('with %j is from the device %s', (said, device) => {
    expect(deviceOf(request(said))).toBe(device);
  });

  it.each([
    ['', ''],
    ['kora.v1', 'kora.v1'],
    ['kora.token.x, kora.device.y', ''],
    ['kora.token.x, kora.v2, kora.v1', 'kora.v1'],
    ['kora.v2', undefined],
  ])('that offers %j is answered with %j', (protocols, chosen) => {
    expect(chosenProtocol(request({ protocols }))).toBe(chosen);
  });

  it.each([
    ['', [], true],
    ['https://app.example', [], false],
    ['https://app.example', ['https://app.example'], true],
    ['https://APP.example', ['https://app.example'], true],
    ['https://app.example:8443', ['https://app.example'], false],
    ['null', ['https://app.example'], false],
  ])('from a page at %j, of %j allowed, is taken: %s', (origin, allowed, taken) => {
    expect(originAllowed(request({ origin }), allowed)).toBe(taken);
  });
});
