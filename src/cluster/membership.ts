import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { beat, leave, type MemberRow } from './postgres/members.ts';
import { hashOf, preferred } from './rendezvous.ts';

export interface Member {
  readonly id: string;
  /** host:port of its peer door; undefined: this process. */
  readonly address: string | undefined;
  readonly hash: number;
}

export interface MembershipOptions {
  readonly pool: pg.Pool;
  readonly id: string;
  /** Where others reach this process. */
  readonly address: string;
  /** Default 3,000 ms. */
  readonly termMs?: number;
  /** Default 1,000 ms. */
  readonly beatMs?: number;
  /** Told of how many there are, this one included, whenever they are others than before. */
  readonly onChange?: (members: number) => void;
  readonly onError?: (error: unknown) => void;
}

/** How long a member that did not answer is left alone. */
const suspectMs = 2_000;

/**
 * The processes that serve, as far as this one knows: a list that may be a second old. Nothing depends on it but speed: a
 * command is as right on any process.
 */
export class Membership {
  readonly #options: MembershipOptions & { readonly termMs: number; readonly beatMs: number };
  readonly #stop = new AbortController();
  readonly #me: Member;
  readonly #suspects = new Map<string, number>();
  readonly #running: Promise<void>;
  #members: readonly Member[];
  #heardAtMs = 0;

  private constructor(options: MembershipOptions) {
    this.#options = { termMs: 3_000, beatMs: 1_000, ...options };
    this.#me = { id: options.id, address: undefined, hash: hashOf(options.id) };
    this.#members = [this.#me];
    this.#running = this.#run();
  }

  static join(options: MembershipOptions): Membership {
    return new Membership(options);
  }

  /** The other process that a key is best placed on; undefined: this one is as good as any. */
  ownerOf(key: string): (Member & { readonly address: string }) | undefined {
    if (this.#members.length === 1) return undefined;
    // Cut off from the database, and so perhaps from everything.
    if (performance.now() - this.#heardAtMs > this.#options.termMs) return undefined;
    const owner = preferred(this.#members, key);
    if (owner?.address === undefined) return undefined;
    const until = this.#suspects.get(owner.id);
    if (until !== undefined && performance.now() < until) return undefined;
    return owner as Member & { readonly address: string };
  }

  /** It did not answer, or had too much to do: it is not asked for a while. */
  suspect(id: string): void {
    this.#suspects.set(id, performance.now() + suspectMs);
  }

  /** The others forget this process within a second, and at once when it turns them away. */
  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#members = [this.#me];
    const { pool, id, onError } = this.#options;
    await leave(pool, id).catch((error: unknown) => onError?.(error));
  }

  async #run(): Promise<void> {
    const { pool, id, address, termMs, beatMs, onError } = this.#options;
    while (!this.#stop.signal.aborted) {
      const askedAtMs = performance.now();
      try {
        const others = await beat(pool, id, address, termMs);
        this.#heardAtMs = askedAtMs;
        this.#become(others);
        for (const suspect of this.#suspects.keys()) {
          if (!others.some((member) => member.id === suspect)) this.#suspects.delete(suspect);
        }
      } catch (error) {
        onError?.(error);
      }
      await sleep(beatMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  #become(others: readonly MemberRow[]): void {
    const known = new Set(this.#members.map(({ id }) => id));
    if (others.length === known.size - 1 && others.every(({ id }) => known.has(id))) return;
    this.#members = [this.#me, ...others.map((member) => ({ ...member, hash: hashOf(member.id) }))];
    this.#options.onChange?.(this.#members.length);
  }
}
