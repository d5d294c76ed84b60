import type pg from 'pg';
import type { EffectStore, Result } from '../effects/carry-out.ts';
import { Together } from '../effects/together.ts';
import type { BookedAs, BookedLine } from '../effects/line-booking.ts';
import type { PaymentSeen } from '../feed/payment-seen.ts';
import type { Effect } from '../matching/index.ts';
import { inTransaction } from './transaction.ts';

interface EffectRow {
  readonly run_id: string;
  readonly id: string;
  readonly kind: Effect['kind'];
  readonly profile: string;
  readonly line_ids: string[];
  readonly expectation_ids: string[];
  readonly detail: Effect['detail'];
}

interface Done {
  readonly effect: Effect;
  readonly result: Result;
  readonly lines: readonly BookedLine[];
}

/** Effects and what became of them, in reconciliation's own database. One process at a time carries out. */
export function postgresEffects(pool: pg.Pool): EffectStore {
  const noting = new Together<Done>((all) => note(pool, all));
  return {
    waiting: async (limit) => {
      await pool.query(advance);
      const { rows } = await pool.query<EffectRow>({
        name: 'reconciliation.effects-waiting',
        text: `select e.run_id, e.id, e.kind, e.profile, e.line_ids, e.expectation_ids, e.detail
          from reconciliation.effects e
          where e.sequence > (select sequence from reconciliation.carried_out_to)
            and not exists (select from reconciliation.carried_out c where c.effect_id = e.id)
          order by e.sequence limit $1`,
        values: [limit],
      });
      return rows.map(({ run_id, id, kind, profile, line_ids, expectation_ids, detail }) => ({
        runId: run_id,
        id,
        kind,
        profile,
        lineIds: line_ids,
        expectationIds: expectation_ids,
        detail,
      }));
    },
    lines: async (ids) => {
      const { rows } = await pool.query<{
        id: string;
        profile: string;
        amount: string;
        currency: string;
        booked_as: BookedAs | null;
        bookings: number | null;
      }>({
        name: 'reconciliation.booked-lines',
        text: `select l.id, l.profile, l.amount, l.currency, b.booked_as, b.bookings
          from reconciliation.lines l left join reconciliation.line_bookings b on b.line_id = l.id
          where l.id = any($1::text[]) order by l.id`,
        values: [ids],
      });
      return rows.map(({ id, profile, amount, currency, booked_as, bookings }): BookedLine => ({
        id,
        profile,
        amount: BigInt(amount),
        currency,
        bookedAs: booked_as ?? 'none',
        bookings: bookings ?? 0,
      }));
    },
    payment: async (id) => {
      const { rows } = await pool.query<{ seen: PaymentSeen }>(
        'select seen from reconciliation.payments_seen where payment_id = $1',
        [id],
      );
      return rows[0]?.seen;
    },
    leave: (effect, ids) =>
      inTransaction(pool, 'carrying', async (client) => {
        const isTheirs = `line_id = any($1::text[]) and booked_as = 'suspense' and (leaving is null or leaving = $2)`;
        const { rowCount } = await client.query(`select from reconciliation.line_bookings where ${isTheirs}`, [
          ids,
          effect.id,
        ]);
        if (rowCount !== new Set(ids).size) return false;
        await client.query(`update reconciliation.line_bookings set leaving = $2 where ${isTheirs}`, [ids, effect.id]);
        return true;
      }),
    done: (effect, result, lines) => noting.add({ effect, result, lines }),
  };
}

/** Together, because each alone would wait for the disk. Of one line there is never more than one: it waits for the other. */
function note(pool: pg.Pool, all: readonly Done[]): Promise<void> {
  const lines = all.flatMap((one) => one.lines);
  return inTransaction(pool, 'carrying', async (client) => {
    await client.query(
      `insert into reconciliation.carried_out (effect_id, outcome, answer)
       select id, outcome, answer from unnest($1::text[], $2::text[], $3::jsonb[]) as d (id, outcome, answer)
       on conflict (effect_id) do nothing`,
      [
        all.map(({ effect }) => effect.id),
        all.map(({ result }) => result.outcome),
        all.map(({ result }) => JSON.stringify(result.answers)),
      ],
    );
    await client.query(
      `update reconciliation.line_bookings set leaving = null
       where line_id = any($1::text[]) and leaving = any($2::text[])`,
      [all.flatMap(({ effect }) => effect.lineIds), all.map(({ effect }) => effect.id)],
    );
    if (lines.length > 0)
      await client.query(
        `insert into reconciliation.line_bookings (line_id, booked_as, bookings)
         select * from unnest($1::text[], $2::text[], $3::integer[])
         on conflict (line_id) do update set booked_as = excluded.booked_as, bookings = excluded.bookings
           -- Somebody's case has taken it meanwhile: it is theirs.
           where line_bookings.booked_as <> 'person'`,
        [lines.map(({ id }) => id), lines.map(({ bookedAs }) => bookedAs), lines.map(({ bookings }) => bookings)],
      );
  });
}

/** Up to the first one that nobody has carried out. */
const advance = `update reconciliation.carried_out_to t set sequence = e.up_to
  from (select max(sequence) as up_to from reconciliation.effects
    where sequence > (select sequence from reconciliation.carried_out_to)
      and sequence < coalesce((select e.sequence from reconciliation.effects e
        where e.sequence > (select sequence from reconciliation.carried_out_to)
          and not exists (select from reconciliation.carried_out c where c.effect_id = e.id)
        order by e.sequence limit 1), 9223372036854775807)) e
  where e.up_to > t.sequence`;
