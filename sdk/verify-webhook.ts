/** What is told. Expect types, and fields of `data`, that you do not know: docs/events has a JSON Schema for each type. */
export interface WebhookEvent {
  /** The same however often it is delivered: remember it, with what you made of it, in one transaction. */
  readonly id: string;
  readonly type: string;
  readonly version: number;
  /** When Kora recorded it. */
  readonly createdAt: string;
  /** `payment/<id>` or `account/<id>`. */
  readonly subject: string;
  /** Grows with each event of the subject. */
  readonly sequence: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * `malformed`: no signature, or none that can be read. `mismatch`: not signed with one of the secrets, or changed on the way.
 * `stale`: signed too long ago, or in the future: caught and sent again, or a wrong clock. `unreadable`: rightly signed, and
 * no event.
 */
export type WebhookVerdict =
  | { readonly ok: true; readonly event: WebhookEvent }
  | { readonly ok: false; readonly reason: 'malformed' | 'mismatch' | 'stale' | 'unreadable' };

export interface VerifyOptions {
  /** How far the signature's time may be from now, to either side. Default 5 minutes. */
  readonly toleranceMs?: number;
  readonly now?: () => Date;
}

const TOLERANCE_MS = 5 * 60_000;
/** There are two while a secret is rotated. Nobody has us try thousands. */
const VALUES_MAX = 5;

/**
 * Whether a delivery is Kora's, and of now. Give it the body as it came: parsed and written again it is another text.
 *
 * @param header the value of `Kora-Signature`: `t=<unix seconds>,v1=<hex>`, and a second v1 while the secret is rotated
 * @param secrets yours; while you rotate, both
 */
export async function verifyWebhook(
  rawBody: string | Uint8Array,
  header: string | null | undefined,
  secrets: string | readonly string[],
  { toleranceMs = TOLERANCE_MS, now = () => new Date() }: VerifyOptions = {},
): Promise<WebhookVerdict> {
  const { seconds, values } = partsOf(header ?? '');
  if (seconds === undefined || values.length === 0) return { ok: false, reason: 'malformed' };
  const body = typeof rawBody === 'string' ? new TextEncoder().encode(rawBody) : rawBody;
  const signed = joined(new TextEncoder().encode(`${seconds}.`), body);
  if (!(await isSigned(signed, values, [secrets].flat()))) return { ok: false, reason: 'mismatch' };
  if (Math.abs(now().getTime() - Number(seconds) * 1000) > toleranceMs) return { ok: false, reason: 'stale' };
  return read(body);
}

async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  values: readonly Uint8Array<ArrayBuffer>[],
  secrets: readonly string[],
): Promise<boolean> {
  for (const secret of secrets) {
    // An empty secret is one that was not configured: anybody has it.
    if (secret === '') continue;
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['verify']);
    // WebCrypto compares in constant time.
    for (const value of values) if (await crypto.subtle.verify('HMAC', key, value, signed)) return true;
  }
  return false;
}

function partsOf(header: string): {
  readonly seconds: string | undefined;
  readonly values: readonly Uint8Array<ArrayBuffer>[];
} {
  const parts = header.split(',').map((part) => part.trim());
  const times = parts.filter((part) => part.startsWith('t='));
  const seconds = times.length === 1 ? /^t=([0-9]{1,12})$/.exec(times[0] ?? '')?.[1] : undefined;
  const values = parts.flatMap((part) => /^v1=([0-9a-f]{64})$/.exec(part)?.[1] ?? []).slice(0, VALUES_MAX);
  return { seconds, values: values.map(fromHex) };
}

function read(body: Uint8Array): WebhookVerdict {
  try {
    const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Partial<WebhookEvent> | null;
    const isEvent =
      typeof event?.id === 'string' && typeof event.type === 'string' && typeof event.subject === 'string';
    if (isEvent) return { ok: true, event: event as WebhookEvent };
  } catch {
    // Said below.
  }
  return { ok: false, reason: 'unreadable' };
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
