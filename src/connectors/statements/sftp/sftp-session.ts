import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import SftpClient from 'ssh2-sftp-client';
import type { Secret } from '../../secrets.ts';
import type { SftpSettings } from '../settings.ts';

/** A server could not be reached, is not the one that it should be, or does not answer. Its text holds no secret. */
export class SftpError extends Error {
  override readonly name = 'SftpError';
  readonly code: 'Unreachable' | 'WrongHostKey' | 'TimedOut' | 'Refused' | 'Changed';

  constructor(code: SftpError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface SftpSecrets {
  readonly password?: Secret;
  readonly key?: Secret;
  readonly passphrase?: Secret;
}

/** A file on the server. Two that are the same in this have not changed in between, as far as the protocol can tell. */
export interface RemoteFile {
  readonly name: string;
  readonly size: number;
  /** Milliseconds; the protocol knows seconds. */
  readonly modifiedAt: number;
}

/** A connection to a server. Every question has a time-out, after which the connection is of no use any more. */
export class SftpSession {
  readonly #client: SftpClient;
  readonly #timeoutMs: number;

  private constructor(client: SftpClient, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @throws SftpError `WrongHostKey` before anything of us was sent; `Unreachable`, `Refused`, `TimedOut`
   */
  static async open(settings: SftpSettings, secrets: SftpSecrets): Promise<SftpSession> {
    const { host, port, user, hostKeySha256, timeoutMs } = settings;
    const seen: { fingerprint?: string } = {};
    // Its own listeners write to the console.
    const client = new SftpClient('kora', { error: nothing, end: nothing, close: nothing });
    const session = new SftpSession(client, timeoutMs);
    try {
      await session.#inTime(
        client.connect({
          host,
          port,
          username: user,
          readyTimeout: timeoutMs,
          // Asked in the exchange of keys, which comes before anybody says who they are.
          hostVerifier: (key: Buffer) => {
            seen.fingerprint = fingerprintOf(key);
            return sameText(seen.fingerprint, hostKeySha256.replace(/=$/, ''));
          },
          ...(secrets.password && { password: secrets.password.reveal() }),
          ...(secrets.key && { privateKey: secrets.key.reveal() }),
          ...(secrets.passphrase && { passphrase: secrets.passphrase.reveal() }),
        }),
      );
      return session;
    } catch (error) {
      await session.close();
      if (seen.fingerprint !== undefined && !sameText(seen.fingerprint, hostKeySha256.replace(/=$/, ''))) {
        const what = `the server has the key ${seen.fingerprint} and not the pinned one: ask the bank, nothing was sent to it`;
        throw new SftpError('WrongHostKey', what);
      }
      throw troubleOf(error);
    }
  }

  /** The plain files of a folder, by name. */
  async list(folder: string, pattern: RegExp): Promise<RemoteFile[]> {
    const entries = await this.#asked(this.#client.list(folder));
    return (
      entries
        // A name that is a path would lead out of the folder.
        .filter(({ type, name }) => type === '-' && !name.includes('/') && !name.startsWith('.') && pattern.test(name))
        .map(({ name, size, modifyTime }) => ({ name, size, modifiedAt: modifyTime }))
        .sort((one, other) => (one.name < other.name ? -1 : 1))
    );
  }

  async stat(path: string): Promise<Omit<RemoteFile, 'name'>> {
    const { size, modifyTime } = await this.#asked(this.#client.stat(path));
    return { size, modifiedAt: modifyTime };
  }

  /** The bytes of a file. @throws SftpError in the middle, where no more of them come */
  async *read(path: string): AsyncGenerator<Uint8Array> {
    const stream = this.#client.createReadStream(path, { autoClose: true });
    const bytes = (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#asked(bytes.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      stream.destroy();
    }
  }

  async makeFolder(path: string): Promise<void> {
    if ((await this.#asked(this.#client.exists(path))) === false) await this.#asked(this.#client.mkdir(path, true));
  }

  async exists(path: string): Promise<boolean> {
    return (await this.#asked(this.#client.exists(path))) !== false;
  }

  /** Within one file system, and never over another file: the protocol's rename refuses a name that is taken. */
  async rename(from: string, to: string): Promise<void> {
    await this.#asked(this.#client.rename(from, to));
  }

  async close(): Promise<void> {
    // A server that is gone does not answer to a good-bye either.
    await Promise.race([this.#client.end().catch(nothing), sleep(1_000, undefined, { ref: false })]);
    this.#cut();
  }

  async #asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await this.#inTime(answer);
    } catch (error) {
      throw troubleOf(error);
    }
  }

  async #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new SftpError('TimedOut', `the server does not answer within ${this.#timeoutMs} ms`));
        this.#cut();
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      answer.catch(nothing);
    }
  }

  #cut(): void {
    const { client } = this.#client as unknown as { client?: { destroy?: () => void } };
    client?.destroy?.();
  }
}

/** As `ssh-keygen -lf` shows it. */
function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=$/, '')}`;
}

function sameText(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

/** The library's texts may quote what was sent: only a code of them is told. */
function troubleOf(error: unknown): SftpError {
  if (error instanceof SftpError) return error;
  const { code = 'Error', message = '' } = error as { code?: string | number; message?: string };
  if (/authentication methods failed/i.test(message)) {
    return new SftpError('Refused', 'the server does not let us in: look at user, key and password');
  }
  const isMissing = /no such file/i.test(message);
  const isAnswer = typeof code === 'number' || isMissing || /permission denied|failure/i.test(message);
  return isAnswer
    ? new SftpError('Refused', isMissing ? 'the server has no such file' : `the server refuses it: ${code}`)
    : new SftpError('Unreachable', `the server cannot be reached: ${code}`);
}

function nothing(): void {
  // Told elsewhere.
}
