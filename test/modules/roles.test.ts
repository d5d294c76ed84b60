import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModuleName, moduleRoles } from '../../src/modules.ts';
import { asRole, ownerless } from '../../src/platform/postgres/module-roles.ts';
import { installProjections, projections } from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/**
 * Proves that every table is one module's, and that no other module's role can read or write it: for every pair of
 * modules and every table there is, as Postgres sees it and by trying.
 */
const names = Object.keys(moduleRoles) as ModuleName[];
const rights = ['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'] as const;

interface Relation {
  readonly name: string;
  readonly owner: string;
  readonly isTable: boolean;
}

describe('the tables of the modules', () => {
  let database: TestDatabase;
  let admin: pg.Pool;
  let relations: Relation[];
  const pools = new Map<ModuleName, pg.Pool>();
  const poolOf = (name: ModuleName): pg.Pool => pools.get(name) as pg.Pool;

  beforeAll(async () => {
    database = await createTestDatabase();
    admin = new pg.Pool(database.poolConfig);
    for (const name of names) {
      pools.set(name, new pg.Pool({ ...asRole(database.poolConfig, moduleRoles[name].role), max: 2 }));
    }
    // By the one who does it in the product, with no more rights than it has there.
    await installProjections(poolOf('projector'), projections);
    const { rows } = await admin.query<Relation>(
      `select format('%I.%I', n.nspname, c.relname) as name, pg_get_userbyid(c.relowner)::text as owner,
         c.relkind in ('r', 'p') as "isTable"
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
    );
    relations = rows;
  });
  afterAll(async () => {
    await Promise.all([...pools.values(), admin].map((pool) => pool.end()));
    await database.drop();
  });

  /** What a module may do to a relation: everything with its own, what is named of others', nothing else. */
  function allowed(name: ModuleName, { name: relation, owner }: Relation): readonly string[] {
    const { role, reads = [], appendsTo = [], actsFor = [] } = moduleRoles[name];
    // Who acts for a module may do what it may.
    const acted = Object.values(moduleRoles).filter((one) => actsFor.includes(one.role));
    const appended = [...appendsTo, ...acted.flatMap((one) => one.appendsTo ?? [])];
    if (appended.includes(relation)) return ['select', 'insert'];
    if (owner === role || actsFor.includes(owner)) return rights;
    return reads.includes(relation) ? ['select'] : [];
  }

  it('are all somebody’s, and one that is nobody’s is noticed', async () => {
    const client = await admin.connect();
    try {
      expect(await ownerless(client, Object.values(moduleRoles))).toEqual([]);
      await client.query(
        'begin; create table projections.stray (id text); create schema loose; create table loose.end (id text)',
      );
      expect((await ownerless(client, Object.values(moduleRoles))).sort()).toEqual(['loose.end', 'projections.stray']);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('belong to the role of their module', () => {
    const roles = new Set(names.map((name) => moduleRoles[name].role));
    const strays = relations.filter(({ name, owner }) => {
      const appended = names.some((module) => moduleRoles[module].appendsTo?.includes(name));
      return !roles.has(owner) && !appended && !name.startsWith('kora_meta.');
    });
    expect(strays).toEqual([]);
    for (const name of names) {
      const { role, owns } = moduleRoles[name];
      // Every module that has tables in this build has them here: a pattern that fits nothing would prove nothing.
      if (owns.length > 0)
        expect(
          relations.some(({ owner }) => owner === role),
          `${name} owns nothing`,
        ).toBe(true);
    }
  });

  it.each(names)('%s may do with each table what is said, and no more', async (name) => {
    const { role } = moduleRoles[name];
    const { rows } = await admin.query<{ relation: string; rights: string[] }>(
      `select r.name as relation, array(
         select g.name from unnest($3::text[]) with ordinality as g (name, number)
         where has_table_privilege($1, r.name, g.name)
           and has_schema_privilege($1, split_part(r.name, '.', 1), 'usage') order by g.number) as rights
       from unnest($2::text[]) as r (name)`,
      [role, relations.map((relation) => relation.name), rights],
    );
    const is = new Map(rows.map((row) => [row.relation, row.rights]));
    for (const relation of relations) {
      expect(is.get(relation.name), `${name} on ${relation.name}`).toEqual(allowed(name, relation));
    }
  });

  const pairs = names.flatMap((one) => names.filter((other) => other !== one).map((other) => [one, other] as const));
  it.each(pairs)('%s is refused when it reads or writes the tables of %s', async (one, other) => {
    const { role } = moduleRoles[other];
    const foreign = relations.filter((relation) => relation.owner === role);
    for (const relation of foreign) {
      const may = allowed(one, relation);
      const writes = {
        insert: `insert into ${relation.name} default values`,
        delete: `delete from ${relation.name}`,
        truncate: `truncate ${relation.name}`,
      };
      // A view that nobody can write to says so before it asks who writes.
      const refusedTo = { select: `select from ${relation.name}`, ...(relation.isTable && writes) };
      for (const [right, statement] of Object.entries(refusedTo)) {
        if (may.includes(right)) continue;
        await expect(poolOf(one).query(statement), `${one}: ${statement}`).rejects.toMatchObject({ code: '42501' });
      }
    }
  });

  it('let a journal be read and added to, and never rewritten by its own module', async () => {
    const journals = names.flatMap((name) =>
      (moduleRoles[name].appendsTo ?? []).map((table) => [name, table] as const),
    );
    expect(journals).not.toEqual([]);
    for (const [name, table] of journals) {
      await expect(poolOf(name).query(`select count(*) from ${table}`)).resolves.toBeDefined();
      for (const statement of [
        `delete from ${table}`,
        `truncate ${table}`,
        `alter table ${table} disable trigger all`,
        `drop table ${table}`,
        `update ${table} set at = now()`,
      ]) {
        await expect(poolOf(name).query(statement), statement).rejects.toMatchObject({ code: '42501' });
      }
      // Postgres only warns of a grant that one may not give.
      const { role } = moduleRoles[name];
      await poolOf(name).query(`grant update on ${table} to ${role}`);
      const { rows } = await admin.query(`select has_table_privilege($1, $2, 'update') as may`, [role, table]);
      expect(rows).toEqual([{ may: false }]);
    }
  });

  it('are out of reach of a role that is none of them', async () => {
    await admin.query(
      `do $$ begin create role kora_test_stranger nologin; exception when duplicate_object then null; end $$`,
    );
    const stranger = new pg.Pool({ ...asRole(database.poolConfig, 'kora_test_stranger'), max: 1 });
    try {
      for (const { name } of relations) {
        await expect(stranger.query(`select from ${name}`), name).rejects.toMatchObject({ code: '42501' });
      }
    } finally {
      await stranger.end();
    }
  });
});
