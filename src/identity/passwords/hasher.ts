import { hash, parseOptions, verify } from '@node-rs/argon2';

/** Argon2id's cost (RFC 9106). */
export interface HashCost {
  readonly memoryKiB: number;
  readonly passes: number;
}

/**
 * 64 MiB and 2 passes on one lane: above what OWASP asks for (19 MiB, 2 passes), and two at once still fit beside the
 * product on a small machine.
 */
export const productCost: HashCost = { memoryKiB: 64 * 1024, passes: 2 };

export interface Hasher {
  /** The PHC string of the password. */
  hash(password: string): Promise<string>;
  /**
   * @param phc what `hash` gave; undefined where there is nobody: then a dummy is verified, so that it takes as long
   * @returns always false for undefined
   */
  verify(phc: string | undefined, password: string): Promise<boolean>;
  /** Made with another cost than today's: hash again while the password is at hand. */
  isOutdated(phc: string): boolean;
}

/** More wait than may. Nothing was hashed. */
export class HasherBusyError extends Error {
  override readonly name = 'HasherBusyError';
  readonly code = 'HasherBusy';
}

/**
 * Hashes on libuv's threads, never more than `concurrency` at once: each takes memory and a core for tens of
 * milliseconds, and those threads also serve files and name look-ups.
 *
 * @param options.concurrency default 2
 * @param options.waitingMax further ones are refused with HasherBusyError. Default 32: some seconds of work
 */
export function createHasher(
  options: { readonly cost?: HashCost; readonly concurrency?: number; readonly waitingMax?: number } = {},
): Hasher {
  const { cost = productCost, concurrency = 2, waitingMax = 32 } = options;
  const settings = { memoryCost: cost.memoryKiB, timeCost: cost.passes, parallelism: 1 };
  const limited = limiter(concurrency, waitingMax);
  // Nobody has this password, because nobody knows it: not even we do, it is thrown away.
  let dummy: Promise<string> | undefined;
  const dummyHash = (): Promise<string> => (dummy ??= hash(crypto.randomUUID(), settings));
  // Made now, not at the first unknown login: that one would take twice as long as the others.
  dummyHash().catch(() => (dummy = undefined));
  return {
    hash: (password) => limited(() => hash(canonical(password), settings)),
    verify: (phc, password) =>
      limited(async () => {
        const good = await verify(phc ?? (await dummyHash()), canonical(password));
        return good && phc !== undefined;
      }),
    isOutdated(phc) {
      const { memoryCost, timeCost, parallelism } = parseOptions(phc);
      return memoryCost !== settings.memoryCost || timeCost !== settings.timeCost || parallelism !== 1;
    },
  };
}

/** NIST SP 800-63B: the same password typed on another keyboard must be the same bytes. */
function canonical(password: string): string {
  return password.normalize('NFKC');
}

function limiter(concurrency: number, waitingMax: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= concurrency) {
      if (waiting.length >= waitingMax) throw new HasherBusyError('too many passwords wait to be hashed');
      // Whoever ends hands its place over, so `running` does not change meanwhile.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
