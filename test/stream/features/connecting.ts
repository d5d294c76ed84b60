import { beforeEach, describe, expect, it } from 'vitest';
import type { Stage } from '../support/stage.ts';

const origin = 'https://app.example';

/** Who may connect, and what the others are told. */
export function connecting(stage: () => Stage): void {
  describe('connecting', () => {
    beforeEach(() => stage().open({}, { origins: [origin] }));

    it('takes the token from the header or a subprotocol, and says hello', async () => {
      const byHeader = await stage().connect();
      expect(byHeader.received[0]?.hello).toMatchObject({ protocol: 1, position: 0 });
      expect(byHeader.socket.protocol).toBe('');
      const byProtocol = await stage().connect({ token: '', protocols: ['kora.v1', 'kora.token.good'] });
      expect(byProtocol.socket.protocol).toBe('kora.v1');
      expect((await stage().connect({ protocols: ['kora.v1'] })).socket.protocol).toBe('kora.v1');
    });

    it('takes the device of a token that is bound to one from the header or a subprotocol', async () => {
      const token = stage().tokens.user('bound', 'ada', { deviceId: 'phone-1' });
      await stage().connect({ token, device: 'phone-1' });
      await stage().connect({ token: '', protocols: ['kora.v1', 'kora.token.bound', 'kora.device.phone-1'] });
      expect(await stage().refusal({ token, device: 'phone-2' })).toEqual({ status: 401, code: 'Unauthenticated' });
      expect(await stage().refusal({ token })).toEqual({ status: 401, code: 'Unauthenticated' });
    });

    it('is refused without a token, with a wrong one, and with one whose session was ended', async () => {
      const unauthenticated = { status: 401, code: 'Unauthenticated' };
      expect(await stage().refusal({ token: '' })).toEqual(unauthenticated);
      expect(await stage().refusal({ token: 'bad' })).toEqual(unauthenticated);
      // The header is what counts, even if the rest is right.
      expect(await stage().refusal({ token: 'bad', protocols: ['kora.v1', 'kora.token.good'] })).toEqual(
        unauthenticated,
      );
      stage().tokens.end('good');
      expect(await stage().refusal()).toEqual(unauthenticated);
    });

    it('does not look for the token in the address, which is written down everywhere', async () => {
      expect(await stage().refusal({ token: '' }, '/stream?token=good')).toMatchObject({ status: 401 });
    });

    it('is refused to a service without the scope', async () => {
      stage().tokens.service('narrow', { scopes: ['payments:read'] });
      expect(await stage().refusal({ token: 'narrow' })).toEqual({ status: 403, code: 'Forbidden' });
      stage().tokens.service('scoped', { scopes: ['stream:read'] });
      await stage().connect({ token: 'scoped' });
    });

    it('is refused when the token cannot be checked, and works when it can again', async () => {
      stage().tokens.failing = true;
      expect(await stage().refusal()).toEqual({ status: 503, code: 'Unavailable' });
      stage().tokens.failing = false;
      await stage().connect();
    });

    it('is refused in a protocol that the door does not speak, and at another path', async () => {
      expect(await stage().refusal({ protocols: ['kora.v9'] })).toEqual({ status: 400, code: 'BadProtocol' });
      expect(await stage().refusal({}, '/elsewhere')).toEqual({ status: 404, code: 'NotFound' });
    });

    it('is refused to pages of foreign origins, before the token is looked at', async () => {
      await stage().connect({ origin });
      const { asked } = stage().tokens;
      for (const foreign of [
        'https://evil.example',
        'https://app.example.evil.example',
        'http://app.example',
        'null',
      ]) {
        expect(await stage().refusal({ origin: foreign })).toEqual({ status: 403, code: 'ForeignOrigin' });
      }
      expect(stage().tokens.asked).toBe(asked);
    });

    it('is for WebSockets alone', async () => {
      const response = await fetch(`http://127.0.0.1:${stage().door.port}/stream`);
      expect([response.status, await response.json()]).toMatchObject([404, { code: 'NotFound' }]);
    });
  });
}
