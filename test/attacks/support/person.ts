import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly body: unknown;
}

export interface HttpCall {
  readonly token?: string | undefined;
  readonly device?: string | undefined;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request, as an app would send it; a POST gets an idempotency key of its own where it names none. */
export async function http(origin: string, method: string, path: string, call: HttpCall = {}): Promise<HttpAnswer> {
  const { token, device, body, raw, headers } = call;
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${origin}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(sent !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(device !== undefined && { 'kora-device': device }),
      ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
      ...headers,
    },
    ...(sent !== undefined && { body: sent }),
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, headers: response.headers, text, body: parsed };
}

/** Somebody with an app on a device. */
export class Person {
  readonly login: string;
  readonly password: string;
  readonly device = `device-${randomBytes(6).toString('hex')}`;
  readonly #origin: string;
  readonly #privateKey: KeyObject;
  readonly publicKey: string;
  /** Where they are: their proxy says so. */
  readonly address = `10.${[...randomBytes(3)].join('.')}`;
  userId = '';
  sessionId = '';
  token = '';
  refreshToken = '';

  constructor(origin: string, login: string, password = randomBytes(12).toString('base64url')) {
    this.#origin = origin;
    this.login = login;
    this.password = password;
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.#privateKey = privateKey;
    this.publicKey = publicKey.export({ format: 'jwk' }).x ?? '';
  }

  /** Somebody who has signed up. */
  static async signedUp(origin: string, login: string): Promise<Person> {
    const person = new Person(origin, login);
    const answer = await person.credentials('sign-up');
    if (answer.status !== 201) throw new Error(`sign-up was answered ${answer.status}: ${answer.text}`);
    return person;
  }

  async credentials(what: 'sign-up' | 'log-in', changes: object = {}): Promise<HttpAnswer> {
    const { login, password, device: id, publicKey } = this;
    const body = { login, password, device: { id, publicKey }, ...changes };
    const answer = await http(this.#origin, 'POST', `/v1/identity/${what}`, { body, headers: this.#from });
    if (answer.status < 300) this.#take(answer);
    return answer;
  }

  async refresh(refreshToken = this.refreshToken): Promise<HttpAnswer> {
    const call = { body: { refreshToken }, device: this.device, headers: this.#from };
    const answer = await http(this.#origin, 'POST', '/v1/identity/refresh', call);
    if (answer.status < 300) this.#take(answer);
    return answer;
  }

  call(method: string, path: string, call: HttpCall = {}): Promise<HttpAnswer> {
    const headers = { ...this.#from, ...call.headers };
    return http(this.#origin, method, path, { token: this.token, device: this.device, ...call, headers });
  }

  /** A sensitive command, signed by the device. */
  signed(
    method: string,
    path: string,
    body: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const raw = JSON.stringify(body);
    return this.call(method, path, { raw, headers: { ...this.signature(method, path, raw), ...more } });
  }

  signature(
    method: string,
    path: string,
    raw: string,
    timestamp = new Date().toISOString(),
    nonce = randomBytes(16).toString('base64url'),
  ): Record<string, string> {
    const digest = createHash('sha256').update(raw).digest('hex');
    const text = ['kora/sensitive/1', method, path, timestamp, nonce, digest].join('\n');
    const signature = sign(null, Buffer.from(text), this.#privateKey).toString('base64url');
    return { 'kora-timestamp': timestamp, 'kora-nonce': nonce, 'kora-signature': signature };
  }

  async openAccount(walletType: 'customer' | 'merchant' = 'customer'): Promise<string> {
    const answer = await this.call('POST', '/v1/accounts', { body: { type: walletType, currency: 'XOF' } });
    if (answer.status !== 201) throw new Error(`opening was answered ${answer.status}: ${answer.text}`);
    return (answer.body as { accountId: string }).accountId;
  }

  get #from(): Record<string, string> {
    return { 'x-forwarded-for': this.address };
  }

  #take({ body }: HttpAnswer): void {
    const { userId, sessionId, accessToken, refreshToken } = body as Record<string, string>;
    this.userId = userId ?? '';
    this.sessionId = sessionId ?? '';
    this.token = accessToken ?? '';
    this.refreshToken = refreshToken ?? '';
  }
}
