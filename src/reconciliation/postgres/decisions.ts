import type pg from 'pg';
import type { Decisions } from '../cases/ports.ts';
import { PostgresMatchingStore } from './matching-store.ts';

/** Decisions of people, for the matching. */
export function postgresDecisions(pool: pg.Pool): Decisions {
  const store = new PostgresMatchingStore(pool);
  return {
    put: async (decision) => {
      await store.put({ decisions: [decision] });
    },
    missing: async (profile, lineIds, expectationIds) => {
      const { rows } = await pool.query<{ id: string }>(
        `select id from unnest($2::text[]) as id
         where not exists (select from reconciliation.lines l where l.id = id.id and l.profile = $1)
         union all
         select id from unnest($3::text[]) as id
         where not exists (select from reconciliation.expectations e where e.id = id.id and e.profile = $1)`,
        [profile, lineIds, expectationIds],
      );
      return rows.map(({ id }) => id);
    },
  };
}
