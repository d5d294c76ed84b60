import type pg from 'pg';
import { type MatchingRules, sameRules } from '../matching/index.ts';

type Named = Pick<MatchingRules, 'version' | 'fingerprint'>;

/**
 * @returns the version that is in use; undefined: nothing was ever matched
 * @throws RulesError: rules of that version were others
 */
export async function checkRulesUsed(
  client: pg.ClientBase,
  { version, fingerprint }: Named,
): Promise<string | undefined> {
  const { rows } = await client.query<Named>(
    'select version, fingerprint from reconciliation.rules_used order by used_at desc',
  );
  sameRules(version, rows.find((used) => used.version === version)?.fingerprint, fingerprint);
  return rows[0]?.version;
}

export async function noteRulesUsed(client: pg.PoolClient, { version, fingerprint }: Named): Promise<void> {
  await client.query(
    `insert into reconciliation.rules_used values ($1, $2, clock_timestamp())
      on conflict (version) do update set used_at = excluded.used_at`,
    [version, fingerprint],
  );
}
