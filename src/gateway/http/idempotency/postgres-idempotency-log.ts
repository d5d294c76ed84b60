import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { Batcher } from '../batcher.ts';
import type { Answer } from '../answer.ts';
import type { Claim, IdempotencyLog, IdempotentCall } from './idempotency-log.ts';

export interface IdempotencyOptions {
  /** Connections of the gateway's own database role. */
  readonly pool: pg.Pool;
  readonly logger: Logger;
  /** An answer is kept so long; after it the log alone answers. */
  readonly retentionMs: number;
  /**
   * Whoever claimed a request in another process and is not heard of for so long is taken for dead. If they are not, two
   * carry it out, and the event log lets one of them. Default 5 s.
   */
  readonly leaseMs?: number;
  /** How often what is too old is deleted. Default 1 minute. */
  readonly sweepMs?: number;
}

type Claimed = IdempotentCall & { readonly claim: string };
interface Answered {
  readonly call: Claimed;
  /** Undefined: let go. */
  readonly answer: Answer | undefined;
}
interface ClaimRow {
  readonly claimed: boolean;
  readonly fingerprint: string | null;
  readonly answer: Answer | null;
}

/** What may be lost in a crash need not wait for a disk to have it. For the transaction that the statement is. */
const unhurried = `unhurried as materialized (select set_config('synchronous_commit', 'off', true))`;

const claimSql = `
  with ${unhurried}, asked as (
    select a.* from unhurried,
      unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[]) with ordinality
        as a (tenant, principal, key, fingerprint, session, claim, number)
  ), claimed as (
    insert into gateway.idempotency_log as l
      (tenant, principal, key, fingerprint, session, claim, claimed_until, expires_at)
    select tenant, principal, key, fingerprint, session, claim,
      now() + $7 * interval '1 ms', now() + $8 * interval '1 ms'
    -- In one order, so that processes which claim the same keys wait for each other in a line and not in a circle.
    from asked order by tenant, principal, key
    on conflict (tenant, principal, key) do update
      set fingerprint = excluded.fingerprint, session = excluded.session, claim = excluded.claim,
        claimed_until = excluded.claimed_until, expires_at = excluded.expires_at, answer = null, created_at = now()
      where l.expires_at <= now() or (l.answer is null and l.claimed_until <= now())
    returning l.claim
  )
  select c.claim is not null as claimed, l.fingerprint, l.answer
  from asked a
  left join claimed c on c.claim = a.claim
  left join gateway.idempotency_log l
    on c.claim is null and l.tenant = a.tenant and l.principal = a.principal and l.key = a.key
  order by a.number`;

/** So long an answer may wait for others to be written down with it. */
const keepLingerMs = 20;

/** Not more than this is deleted at once: a long statement would hold everybody up. */
const SWEEP_ROWS_MAX = 5_000;

/** The log of answers in Postgres, shared by all processes. */
export class PostgresIdempotencyLog implements IdempotencyLog {
  readonly #options: IdempotencyOptions;
  readonly #claims: Batcher<Claimed, ClaimRow>;
  readonly #answers: Batcher<Answered, undefined>;
  readonly #releases: Batcher<Answered, undefined>;
  /** By key: what is at work in this process, and what was answered and is not written down yet. */
  readonly #running = new Map<string, { readonly fingerprint: string; answer?: Answer }>();
  readonly #sweeper: NodeJS.Timeout;
  #sweeping: Promise<void> | undefined;

  constructor(options: IdempotencyOptions) {
    this.#options = options;
    this.#claims = new Batcher((calls) => this.#claim(calls));
    this.#answers = new Batcher((answered) => this.#keep(answered), { lingerMs: keepLingerMs });
    this.#releases = new Batcher((answered) => this.#keep(answered));
    this.#sweeper = setInterval(() => {
      this.#sweeping ??= this.#sweep();
    }, options.sweepMs ?? 60_000).unref();
  }

  async claim(call: IdempotentCall): Promise<Claim> {
    const running = JSON.stringify([call.tenant, call.principal, call.key]);
    const here = this.#running.get(running);
    if (here !== undefined) {
      if (here.fingerprint !== call.fingerprint) return { outcome: 'other-request' };
      return here.answer === undefined
        ? { outcome: 'running', where: 'here' }
        : { outcome: 'answered', answer: here.answer };
    }
    const work: { readonly fingerprint: string; answer?: Answer } = { fingerprint: call.fingerprint };
    this.#running.set(running, work);
    const claimed: Claimed = { ...call, claim: randomUUID() };
    const row = await this.#askFor(claimed);
    const done = async (to: Batcher<Answered, undefined>, answer: Answer | undefined): Promise<void> => {
      if (row !== undefined) {
        await to.ask({ call: claimed, answer }).catch((error: unknown) => {
          this.#options.logger.warn({ err: error }, 'idempotency: an answer was not kept, the event log knows it');
        });
      }
      this.#running.delete(running);
    };
    if (row === undefined || row.claimed) {
      return {
        outcome: 'claimed',
        keep: (answer) => {
          work.answer = answer;
          void done(this.#answers, answer);
        },
        release: () => done(this.#releases, undefined),
      };
    }
    this.#running.delete(running);
    // Not there, and not ours either: it came between our look and our claim.
    if (row.fingerprint === null) return { outcome: 'running', where: 'elsewhere' };
    if (row.fingerprint !== call.fingerprint) return { outcome: 'other-request' };
    return row.answer === null
      ? { outcome: 'running', where: 'elsewhere' }
      : { outcome: 'answered', answer: row.answer };
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([this.#claims.idle(), this.#answers.idle(), this.#releases.idle(), this.#sweeping]);
  }

  /** Undefined where it cannot be asked. */
  async #askFor(call: Claimed): Promise<ClaimRow | undefined> {
    try {
      return await this.#claims.ask(call);
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        'idempotency: the log of answers cannot be asked, the event log decides',
      );
      return undefined;
    }
  }

  async #claim(calls: readonly Claimed[]): Promise<ClaimRow[]> {
    const { pool, leaseMs = 5_000, retentionMs } = this.#options;
    const { rows } = await pool.query<ClaimRow>({
      name: 'gateway.claim',
      text: claimSql,
      values: [
        calls.map(({ tenant }) => tenant),
        calls.map(({ principal }) => principal),
        calls.map(({ key }) => key),
        calls.map(({ fingerprint }) => fingerprint),
        calls.map(({ session }) => session ?? null),
        calls.map(({ claim }) => claim),
        leaseMs,
        retentionMs,
      ],
    });
    return rows;
  }

  /** Writes answers down, and lets go of what has none. Only where the claim is still ours. */
  async #keep(answered: readonly Answered[]): Promise<undefined[]> {
    const values = [
      answered.map(({ call }) => call.tenant),
      answered.map(({ call }) => call.principal),
      answered.map(({ call }) => call.key),
      answered.map(({ call }) => call.claim),
      answered.map(({ answer }) => (answer === undefined ? null : JSON.stringify(answer))),
    ];
    await this.#options.pool.query({
      name: 'gateway.keep',
      text: `
        with ${unhurried}, answered as (
          select a.* from unhurried,
            unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::json[])
              as a (tenant, principal, key, claim, answer)
        ), released as (
          delete from gateway.idempotency_log l using answered a
          where l.tenant = a.tenant and l.principal = a.principal and l.key = a.key and l.claim = a.claim
            and a.answer is null
        )
        update gateway.idempotency_log l set answer = a.answer from answered a
        where l.tenant = a.tenant and l.principal = a.principal and l.key = a.key and l.claim = a.claim
          and a.answer is not null`,
      values,
    });
    return answered.map(() => undefined);
  }

  async #sweep(): Promise<void> {
    try {
      for (let deleted = SWEEP_ROWS_MAX; deleted === SWEEP_ROWS_MAX;) {
        const { rowCount } = await this.#options.pool.query(
          `delete from gateway.idempotency_log where ctid = any (array(
             select ctid from gateway.idempotency_log where expires_at <= now() limit $1))`,
          [SWEEP_ROWS_MAX],
        );
        deleted = rowCount ?? 0;
      }
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'idempotency: old answers stay for now');
    } finally {
      this.#sweeping = undefined;
    }
  }
}
