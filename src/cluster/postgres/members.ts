import type pg from 'pg';

export interface MemberRow {
  readonly id: string;
  readonly address: string;
}

/** Says that a process is there for another term, and hears who else is. One statement, on the database's clock. */
export async function beat(pool: pg.Pool, id: string, address: string, termMs: number): Promise<MemberRow[]> {
  const { rows } = await pool.query<MemberRow>({
    name: 'cluster.beat',
    text: `with me as (
        insert into cluster.members (id, address, expires_at)
        values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
        on conflict (id) do update
        set address = excluded.address, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
      ), buried as (
        delete from cluster.members where id <> $1 and expires_at < clock_timestamp() - interval '1 hour'
      )
      select id, address from cluster.members where id <> $1 and expires_at > clock_timestamp()`,
    values: [id, address, termMs],
  });
  return rows;
}

export async function leave(pool: pg.Pool, id: string): Promise<void> {
  await pool.query('delete from cluster.members where id = $1', [id]);
}
