import type { Answer } from './answer.ts';
import type { Me, SessionView, SignedIn, UserRole } from './api.ts';
import type { CallOptions, Calls, Manner } from './calls/calls.ts';
import type { BodyOf, ValueOf } from './calls/operations.ts';
import { clockOffsetOf } from './session/clock.ts';
import type { Device } from './session/device.ts';
import type { StoredSession } from './session/session-store.ts';
import type { UserCredentials } from './session/user-credentials.ts';

/** A phone number with its country code, or an e-mail address; and the password. */
export interface LogInRequest {
  readonly login: string;
  readonly password: string;
}

/** Users: who is logged in on this device. Tokens are renewed by themselves, as long as the session lasts. */
export class IdentityCalls {
  readonly #calls: Calls;
  readonly #credentials: UserCredentials;

  constructor(calls: Calls, credentials: UserCredentials) {
    this.#calls = calls;
    this.#credentials = credentials;
  }

  /**
   * Makes a user, and logs them in on this device. Is not sent again when its answer is lost, because the second would hear
   * that the login is taken: log in then.
   */
  signUp(request: LogInRequest, options?: CallOptions): Promise<Answer<StoredSession>> {
    return this.#open('signUp', request, options, { again: 'never' });
  }

  /** Logs a user in on this device. Whoever was logged in before is not any more, as far as this client goes. */
  logIn(request: LogInRequest, options?: CallOptions): Promise<Answer<StoredSession>> {
    return this.#open('logIn', request, options, { again: 'freely' });
  }

  /** Ends the session, there and here. Where nobody answers it is ended here all the same, and the fault is thrown. */
  async logOut(options?: CallOptions): Promise<Answer<undefined>> {
    try {
      return await this.#calls.answer('logOut', {}, options, { again: 'freely' });
    } finally {
      await this.#credentials.keep(undefined);
    }
  }

  /** The session as this device knows it; undefined where nobody is logged in. Nothing is asked of the door. */
  session(): Promise<StoredSession | undefined> {
    return this.#credentials.session();
  }

  /** The device that tokens are bound to, made here if none was given. */
  device(): Promise<Device> {
    return this.#credentials.device();
  }

  me(options?: CallOptions): Promise<Answer<Me>> {
    return this.#calls.answer('me', {}, options);
  }

  /** The user's live sessions on all devices, newest first. */
  async sessions(options?: CallOptions): Promise<Answer<readonly SessionView[]>> {
    const answer = await this.#calls.answer('listSessions', {}, options);
    return answer.ok ? { ok: true, value: answer.value.items } : answer;
  }

  /** Ends one of the user's sessions: that of a telephone that was lost. */
  endSession(id: string, options?: CallOptions): Promise<Answer<undefined>> {
    return this.#calls.answer('endSession', { path: { id } }, options);
  }

  /** Takes the present password, and the device's signature. Ends the user's other sessions. */
  changePassword(body: BodyOf<'changePassword'>, options?: CallOptions): Promise<Answer<undefined>> {
    return this.#calls.answer('changePassword', { body }, options);
  }

  /** For admins: the user has exactly these roles from now on. */
  changeRoles(
    userId: string,
    roles: readonly UserRole[],
    options?: CallOptions,
  ): Promise<Answer<ValueOf<'changeRoles'>>> {
    return this.#calls.answer('changeRoles', { path: { userId }, body: { roles } }, options);
  }

  async #open(
    how: 'signUp' | 'logIn',
    { login, password }: LogInRequest,
    options: CallOptions | undefined,
    manner: Manner,
  ): Promise<Answer<StoredSession>> {
    const device = await this.#credentials.device();
    const body = { login, password, device: { id: device.id, publicKey: device.publicKey } };
    const answer = await this.#calls.answer(how, { body }, options, { ...manner, as: 'nobody' });
    if (!answer.ok) return answer;
    const session = sessionOf(answer.value, device);
    await this.#credentials.keep(session);
    return { ok: true, value: session };
  }
}

/** What is kept of a log-in or a refresh. */
export function sessionOf(signedIn: SignedIn, { id }: Device, now = Date.now()): StoredSession {
  const { userId, sessionId, roles, accessToken, accessExpiresAt, refreshToken } = signedIn;
  const tokens = { accessToken, accessExpiresAt, refreshToken };
  const clockOffsetMs = clockOffsetOf(accessToken, now);
  return { userId, sessionId, deviceId: id, roles, ...tokens, receivedAt: now, clockOffsetMs };
}
