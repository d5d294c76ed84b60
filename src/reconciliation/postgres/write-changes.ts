import type pg from 'pg';
import { int4Array, int8Array, textArray } from '../../../eventstore/postgres/binary-array.ts';
import { type Changes, dateOf, type Effect, type Outcome, type StoredMatch } from '../matching/index.ts';
import { copyRow, inOrder, type Statement } from './in-order.ts';
import { arrayText, writtenBecause } from './rows.ts';

/** Writes what a batch came to: states, matches made and ended, effects in their order. */
export async function writeChanges(client: pg.PoolClient, changes: Changes, runId: string): Promise<void> {
  const { rows } = await client.query<{ last: string }>(
    'select coalesce(max(sequence), 0) as last from reconciliation.effects',
  );
  await inOrder(client, statementsOf(changes, Number(rows[0]?.last), runId));
}

function* statementsOf(
  { lines, expectations, ended, made, effects, lookedAt }: Changes,
  lastSequence: number,
  runId: string,
): Generator<Statement> {
  if (ended.length > 0) yield endMatches(ended, runId);
  if (made.length > 0) yield insertMatches(made, runId);
  yield* writeOutcomes('line', lines);
  yield* writeOutcomes('expectation', expectations);
  if (effects.length > 0) yield insertEffects(effects, lastSequence, runId);
  for (const [side, upTo] of Object.entries(lookedAt))
    yield {
      text: 'update reconciliation.looked_at set up_to = $2 where side = $1 and up_to < $2',
      values: [side, upTo],
    };
}

function endMatches(ended: readonly number[], runId: string): Statement {
  return {
    text: `update reconciliation.matches set ended_by = $2, ended_at = now()
      where id = any($1) and ended_at is null`,
    values: [int8Array(ended), runId],
  };
}

function insertMatches(made: readonly StoredMatch[], runId: string): Statement {
  return {
    into: `reconciliation.matches
      (id, kind, rule, rules_version, line_ids, expectation_ids, fees, because, made_by)`,
    rows: made
      .map(({ id, kind, rule, rulesVersion, lineIds, expectationIds, fees, because }) => {
        const why = JSON.stringify(writtenBecause(because));
        const sides = [arrayText(lineIds), arrayText(expectationIds), arrayText(fees)] as const;
        return copyRow(id, kind, rule, rulesVersion, ...sides, why, runId);
      })
      .join(''),
  };
}

function* writeOutcomes(side: 'line' | 'expectation', outcomes: readonly Outcome[]): Generator<Statement> {
  const first = outcomes.filter(({ examined }) => !examined);
  if (first.length > 0) yield insertOutcomes(side, first);
  const again = outcomes.filter(({ examined }) => examined);
  if (again.length > 0) yield updateOutcomes(side, again);
}

function insertOutcomes(side: 'line' | 'expectation', outcomes: readonly Outcome[]): Statement {
  const ofLines = side === 'line';
  return {
    into: `reconciliation.${side}_states
      (${side}, state, reason, match_id, due, agreed, changes${ofLines ? ', direct' : ''})`,
    rows: outcomes
      .map(({ number, state, reason = null, matchId = null, due, agreed, changed, direct = false }) => {
        const date = due === undefined ? null : dateOf(due);
        const row = [number, state, reason, matchId, date, agreed, Number(changed)] as const;
        return ofLines ? copyRow(...row, direct) : copyRow(...row);
      })
      .join(''),
  };
}

function updateOutcomes(side: 'line' | 'expectation', outcomes: readonly Outcome[]): Statement {
  return {
    text: `update reconciliation.${side}_states s
      set state = u.state, reason = u.reason, match_id = u.match_id, due = date '1970-01-01' + u.due,
        agreed = u.flags & 1 <> 0, ${side === 'line' ? 'direct = u.flags & 2 <> 0,' : ''}
        changes = s.changes + (u.flags >> 2)
      from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::integer[], $6::integer[])
        as u (number, state, reason, match_id, due, flags)
      where s.${side} = u.number`,
    values: [
      int8Array(outcomes.map(({ number }) => number)),
      textArray(outcomes.map(({ state }) => state)),
      textArray(outcomes.map(({ reason }) => reason ?? null)),
      int8Array(outcomes.map(({ matchId }) => matchId ?? null)),
      int4Array(outcomes.map(({ due }) => due ?? null)),
      int4Array(
        outcomes.map(
          ({ agreed, direct = false, changed }) => Number(agreed) + 2 * Number(direct) + 4 * Number(changed),
        ),
      ),
    ],
  };
}

function insertEffects(effects: readonly Effect[], lastSequence: number, runId: string): Statement {
  return {
    into: 'reconciliation.effects (sequence, id, kind, profile, line_ids, expectation_ids, detail, run_id)',
    rows: effects
      .map(({ id, kind, profile, lineIds, expectationIds, detail }, at) => {
        const sides = [arrayText(lineIds), arrayText(expectationIds)] as const;
        return copyRow(lastSequence + at + 1, id, kind, profile, ...sides, JSON.stringify(detail), runId);
      })
      .join(''),
  };
}
