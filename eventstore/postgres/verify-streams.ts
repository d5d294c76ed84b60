import type pg from 'pg';
import type { LogFinding } from './log-finding.ts';

/** Faults that are reported of one kind; a log with more has one cause. */
const faultsMax = 100;

/**
 * Holds every stream to its versions, 1, 2, 3 … in the order of positions (unconstrained streams too, whose versions the
 * hash chain does not cover), and the heads to the log. Postgres sorts the streams, on disk if need be.
 */
export async function findStreamFaults(client: pg.ClientBase): Promise<LogFinding[]> {
  const { rows } = await client.query<{
    check: 'versions' | 'heads';
    position: string;
    stream: string;
    is: string | null;
    should: string | null;
  }>(
    `with rows as materialized (
       select stream, position, version, count,
         coalesce(lag(version + count) over by_version, 1) as expected,
         lag(position) over by_version as before,
         lead(position) over by_version is null as last
       from eventstore.log
       window by_version as (partition by stream order by version, position)
     ), versions as (
       select * from (
         -- The first of a stream; what follows is out of step because of it.
         select distinct on (stream) 'versions' as check, position, stream, version as is, expected as should
         from rows where version <> expected or position < before order by stream, version, position
       ) f order by position limit ${faultsMax}
     ), heads as (
       select 'heads' as check, coalesce(r.position, h.position) as position, coalesce(r.stream, h.stream) as stream,
         h.version as is, r.version + r.count - 1 as should
       from (select * from rows where last) r full join eventstore.heads h on h.stream = r.stream
       where h.stream is null or r.stream is null or h.version <> r.version + r.count - 1 or h.position <> r.position
       order by 2 limit ${faultsMax}
     )
     select * from versions union all select * from heads`,
  );
  return rows.map(({ check, position, stream, is, should }) => ({
    check,
    position: Number(position),
    message:
      check === 'versions'
        ? `stream ${stream} has version ${is ?? ''} where ${should ?? ''} should be`
        : headFault(stream, is, should),
  }));
}

function headFault(stream: string, is: string | null, should: string | null): string {
  if (is === null) return `stream ${stream} is in the log up to version ${should ?? ''} and has no head`;
  if (should === null) return `stream ${stream} has a head at version ${is} and no row in the log`;
  return `the head of stream ${stream} says version ${is}, or a position, that is not that of the log (${should})`;
}
