import type pg from 'pg';
import { type Changes, dateOf, type Effect, type Outcome, type StoredMatch } from '../matching/index.ts';
import { inOrder, type Statement } from './in-order.ts';
import { arrayText, writtenBecause } from './rows.ts';

/** Writes what a batch came to: states, matches made and ended, effects in their order. */
export function writeChanges(client: pg.PoolClient, changes: Changes, runId: string): Promise<void> {
  return inOrder(client, statementsOf(changes, runId));
}

function* statementsOf({ lines, expectations, ended, made, effects }: Changes, runId: string): Generator<Statement> {
  if (ended.length > 0) yield endMatches(ended, runId);
  if (made.length > 0) yield insertMatches(made, runId);
  if (lines.length > 0) yield updateOutcomes('lines', lines);
  if (expectations.length > 0) yield updateOutcomes('expectations', expectations);
  if (effects.length > 0) yield insertEffects(effects, runId);
}

function endMatches(ended: readonly number[], runId: string): Statement {
  return {
    text: `update reconciliation.matches set ended_by = $2, ended_at = now()
      where id = any($1) and ended_at is null`,
    values: [arrayText(ended), runId],
  };
}

function insertMatches(made: readonly StoredMatch[], runId: string): Statement {
  return {
    text: `insert into reconciliation.matches
      (id, kind, rule, rules_version, line_ids, expectation_ids, fees, because, made_by)
      select id, kind, rule, version, lines::text[], expectations::text[], fees::numeric[], because, $9
      from rows from (unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]),
        json_array_elements($8)) as m (id, kind, rule, version, lines, expectations, fees, because)`,
    values: [
      arrayText(made.map(({ id }) => id)),
      arrayText(made.map(({ kind }) => kind)),
      arrayText(made.map(({ rule }) => rule)),
      arrayText(made.map(({ rulesVersion }) => rulesVersion)),
      arrayText(made.map(({ lineIds }) => arrayText(lineIds))),
      arrayText(made.map(({ expectationIds }) => arrayText(expectationIds))),
      arrayText(made.map(({ fees }) => arrayText(fees))),
      JSON.stringify(made.map(({ because }) => writtenBecause(because))),
      runId,
    ],
  };
}

function updateOutcomes(table: 'lines' | 'expectations', outcomes: readonly Outcome[]): Statement {
  const ofLines = table === 'lines';
  return {
    text: `update reconciliation.${ofLines ? 'line_states' : 'expectation_states'} s
      set state = u.state, reason = u.reason, match_id = u.match_id, due = u.due, agreed = u.agreed,
        ${ofLines ? 'direct = u.direct,' : ''} examined = true, changes = s.changes + u.changed
      from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::date[], $6::boolean[], $7::boolean[],
        $8::integer[]) as u (number, state, reason, match_id, due, agreed, direct, changed)
      where s.${ofLines ? 'line' : 'expectation'} = u.number`,
    values: [
      arrayText(outcomes.map(({ number }) => number)),
      arrayText(outcomes.map(({ state }) => state)),
      arrayText(outcomes.map(({ reason }) => reason ?? null)),
      arrayText(outcomes.map(({ matchId }) => matchId ?? null)),
      arrayText(outcomes.map(({ due }) => (due === undefined ? null : dateOf(due)))),
      arrayText(outcomes.map(({ agreed }) => agreed)),
      arrayText(outcomes.map(({ direct = false }) => direct)),
      arrayText(outcomes.map(({ changed }) => Number(changed))),
    ],
  };
}

function insertEffects(effects: readonly Effect[], runId: string): Statement {
  return {
    text: `insert into reconciliation.effects (sequence, id, kind, profile, line_ids, expectation_ids, detail, run_id)
      select (select coalesce(max(sequence), 0) from reconciliation.effects) + place, id, kind, profile,
        lines::text[], expectations::text[], detail, $7
      from rows from (unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]), json_array_elements($6))
        with ordinality as e (id, kind, profile, lines, expectations, detail, place)`,
    values: [
      arrayText(effects.map(({ id }) => id)),
      arrayText(effects.map(({ kind }) => kind)),
      arrayText(effects.map(({ profile }) => profile)),
      arrayText(effects.map(({ lineIds }) => arrayText(lineIds))),
      arrayText(effects.map(({ expectationIds }) => arrayText(expectationIds))),
      JSON.stringify(effects.map(({ detail }) => detail)),
      runId,
    ],
  };
}
