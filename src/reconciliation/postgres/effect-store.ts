import type pg from 'pg';
import type { EffectStore } from '../effects/carry-out.ts';
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

/** Effects and what became of them, in reconciliation's own database. One process at a time carries out. */
export function postgresEffects(pool: pg.Pool): EffectStore {
  return {
    waiting: async (limit) => {
      const { rows } = await pool.query<EffectRow>({
        name: 'reconciliation.effects-waiting',
        text: `select e.run_id, e.id, e.kind, e.profile, e.line_ids, e.expectation_ids, e.detail
          from reconciliation.effects e
          where e.sequence > (select sequence from reconciliation.carried_out_to)
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
    done: (effect, { outcome, answers }, lines) =>
      inTransaction(pool, 'carrying', async (client) => {
        await client.query(
          `insert into reconciliation.carried_out (effect_id, outcome, answer) values ($1, $2, $3)
           on conflict (effect_id) do nothing`,
          [effect.id, outcome, JSON.stringify(answers)],
        );
        await client.query(
          // Nearly always the very next one: found by walking on, not by looking through all that wait.
          `update reconciliation.carried_out_to c set sequence = e.sequence
           from lateral (select sequence from reconciliation.effects
             where sequence > (select sequence from reconciliation.carried_out_to) and id = $1
             order by sequence limit 1) e`,
          [effect.id],
        );
        for (const { id, bookedAs, bookings } of lines) {
          await client.query(
            `insert into reconciliation.line_bookings (line_id, booked_as, bookings) values ($1, $2, $3)
             on conflict (line_id) do update set booked_as = excluded.booked_as, bookings = excluded.bookings
               -- Somebody's case has taken it meanwhile: it is theirs.
               where line_bookings.booked_as <> 'person'`,
            [id, bookedAs, bookings],
          );
        }
      }),
  };
}
