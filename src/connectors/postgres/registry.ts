import type pg from 'pg';
import type { ConnectorsConfig } from '../connector-config.ts';

/** Writes down which banks and connectors there are, as they are configured now. What is there no more is retired. */
export async function writeRegistry(pool: pg.Pool, { profiles, connectors }: ConnectorsConfig): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('providers.registry'))`);
    await client.query(
      `insert into providers.bank_profiles (id, bank_name, swift_bic, supported_rails)
       select p.id, p.bank_name, p.swift_bic, array(select json_array_elements_text(p.supported_rails))
       from json_to_recordset($1) as p (id text, bank_name text, swift_bic text, supported_rails json)
       on conflict (id) do update set bank_name = excluded.bank_name, swift_bic = excluded.swift_bic,
         supported_rails = excluded.supported_rails, retired_at = null`,
      [JSON.stringify(profiles)],
    );
    await client.query(
      `insert into providers.connectors (id, bank_profile_id, connector_type, config)
       select c.id, c.profile, c.type, c.config
       from jsonb_to_recordset($1) as c (id text, profile text, type text, config jsonb)
       on conflict (id) do update set bank_profile_id = excluded.bank_profile_id,
         connector_type = excluded.connector_type, config = excluded.config, retired_at = null`,
      [JSON.stringify(connectors.map((one) => ({ id: one.id, profile: one.profile, type: one.type, config: one })))],
    );
    const retire = async (table: string, ids: readonly string[]): Promise<void> => {
      const text = `update providers.${table} set retired_at = now() where retired_at is null and not id = any($1)`;
      await client.query(text, [ids]);
    };
    await retire(
      'connectors',
      connectors.map(({ id }) => id),
    );
    await retire(
      'bank_profiles',
      profiles.map(({ id }) => id),
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}
