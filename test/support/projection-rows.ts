import type pg from 'pg';
import type { Projection } from '../../src/projections/projection.ts';

/** All rows of a projection's views, sorted, as text: for comparing what two ways of folding came to. */
export async function rowsOf(pool: pg.Pool, projections: readonly Projection[]): Promise<Record<string, string[]>> {
  const rows: Record<string, string[]> = {};
  for (const { tables } of projections) {
    for (const { name } of tables) {
      const { rows: found } = await pool.query<{ row: string }>(
        `select row_to_json(t)::text as row from projections."${name}" t order by 1`,
      );
      rows[name] = found.map(({ row }) => row);
    }
  }
  return rows;
}
