import type pg from 'pg';

/**
 * The day to look from: today, or the latest day that was looked from before, where the clock is behind it. What was found
 * with a window over would else be found with the window open.
 */
export async function dayToLookFrom(pool: pg.Pool, today: string): Promise<string> {
  await pool.query('update reconciliation.current_run set day = $1::date where day is null or day < $1::date', [today]);
  const { rows } = await pool.query<{ day: string }>('select day::text from reconciliation.current_run');
  return rows[0]?.day ?? today;
}

/** The run to go on with, or the next one where there is something to look at; undefined: there is nothing. */
export async function runToGoOnWith(pool: pg.Pool, today: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ number: string; completed: boolean; something: boolean }>(
    `select number, completed,
       exists (select from reconciliation.fresh_lines)
       or exists (select from reconciliation.fresh_expectations)
       or exists (select from reconciliation.line_states where due <= $1::date)
       or exists (select from reconciliation.expectation_states where due <= $1::date) as something
     from reconciliation.current_run`,
    [today],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('reconciliation.current_run has no row: the migrations were not run');
  if (!row.completed) return nameOf(row.number);
  if (!row.something) return undefined;
  const begun = await pool.query<{ number: string }>(
    'update reconciliation.current_run set number = number + 1, completed = false where completed returning number',
  );
  return begun.rows[0] && nameOf(begun.rows[0].number);
}

export async function runCompleted(pool: pg.Pool): Promise<void> {
  await pool.query('update reconciliation.current_run set completed = true');
}

const nameOf = (number: string): string => number.padStart(8, '0');
