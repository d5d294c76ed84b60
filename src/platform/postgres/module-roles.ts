import pg from 'pg';
import { MissingRolesError } from './errors.ts';

/**
 * A module of the product as the database knows it: a role without login that owns the module's tables, and as which its
 * connections read and write (`asRole`). Roles are of the whole server; several databases of Kora on one server share them.
 */
export interface ModuleRole {
  readonly role: string;
  /**
   * Its tables, views, sequences and functions, as `schema.name`; `*` stands for any characters. The schemas stay with
   * whoever migrates: the owner of a schema may drop whatever is in it.
   */
  readonly owns: readonly string[];
  /**
   * Those of them that it may only read and add to. They belong to whoever migrates, because an owner may do anything,
   * and give back to itself what it was forbidden.
   */
  readonly appendsTo?: readonly string[];
  /** What it may read of other modules. */
  readonly reads?: readonly string[];
  /** Roles of other modules whose tables it makes, writes and drops for them. */
  readonly actsFor?: readonly string[];
}

/** Session advisory lock: (`kora` in ASCII, roles). */
const lockKeys = [0x6b6f7261, 4];

/**
 * Makes the roles that are missing, and gives every module what is its own. Asked at every start, after the migrations:
 * what they made belongs to whoever migrated until now, and a database that was restored on another server has no roles
 * there yet. When all is as it should be it costs a few reads.
 *
 * @param client a connection of the user who migrates
 * @throws MissingRolesError when a role is missing and the user may not make it; the message says what an administrator runs
 */
export async function giveToModules(client: pg.ClientBase, modules: readonly ModuleRole[]): Promise<void> {
  await client.query('select pg_advisory_lock($1, $2)', lockKeys);
  try {
    await makeRoles(client, modules);
    const statements = await statementsFor(client, modules);
    if (statements.length === 0) return;
    // All of it or nothing: nobody finds a table between two owners.
    await client.query(`begin;\n${statements.join(';\n')};\ncommit`);
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    await client.query('select pg_advisory_unlock($1, $2)', lockKeys).catch(() => undefined);
  }
}

async function makeRoles(client: pg.ClientBase, modules: readonly ModuleRole[]): Promise<void> {
  const names = modules.map(({ role }) => role);
  const { rows } = await client.query<{ user: string; version: string; found: string[] }>(
    `select current_user as user, current_setting('server_version_num') as version,
       array(select rolname::text from pg_roles where rolname = any($1)) as found`,
    [names],
  );
  const { user = '', version = '', found = [] } = rows[0] ?? {};
  const create = names.filter((role) => !found.includes(role)).map((role) => `create role ${role} nologin`);
  // Whoever migrates alters what is the modules', and its connections act as them.
  const members = modules.flatMap(({ role, actsFor = [] }) => [
    { member: user, of: role },
    ...actsFor.map((other) => ({ member: role, of: other })),
  ]);
  const grantOf = ({ member, of }: (typeof members)[number]): string =>
    `grant ${of} to ${/^[a-z_][a-z0-9_]*$/.test(member) ? member : pg.escapeIdentifier(member)}`;
  const all = [...create, ...members.map(grantOf)];
  await runAsAdministrator(client, user, create, all);
  // From PostgreSQL 16 on a membership may come without the right to act as the role.
  const mayActAs = Number(version) >= 160_000 ? `pg_has_role(m.member, m.role, 'SET')` : 'true';
  const { rows: lacking } = await client.query<{ member: string; of: string }>(
    `select m.member, m.role as of from unnest($1::text[], $2::text[]) as m (member, role)
     where not (pg_has_role(m.member, m.role, 'USAGE') and ${mayActAs})`,
    [members.map(({ member }) => member), members.map(({ of }) => of)],
  );
  await runAsAdministrator(client, user, lacking.map(grantOf), all);
}

/** @param all what an administrator should run where this user may not */
async function runAsAdministrator(
  client: pg.ClientBase,
  user: string,
  statements: readonly string[],
  all: readonly string[],
): Promise<void> {
  for (const statement of statements) {
    try {
      await client.query(statement);
    } catch (error) {
      // Another database of this server got the same roles in the same moment.
      if (isTakenAlready(error)) continue;
      if (error instanceof pg.DatabaseError && error.code === '42501') {
        throw new MissingRolesError(user, all, { cause: error });
      }
      throw error;
    }
  }
}

function isTakenAlready(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '42710' || error.code === '23505');
}

interface Thing {
  /** `schema`, `table` (also partitioned), `view`, `sequence` or `function`. */
  readonly kind: 'schema' | 'table' | 'view' | 'sequence' | 'function';
  readonly schema: string;
  readonly name: string;
  /** As a statement names it, arguments included. */
  readonly sql: string;
  readonly owner: string;
}

/** What is in the database and is not Postgres's own. Sequences of columns follow their tables. */
const things = `
  select 'schema' as kind, nspname::text as schema, '' as name, quote_ident(nspname) as sql,
    pg_get_userbyid(nspowner)::text as owner
  from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  union all
  select case c.relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence' else 'table' end,
    n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
      and c.relkind = 'S' and d.deptype in ('a', 'i'))
  union all
  select 'function', n.nspname, p.proname, p.oid::regprocedure::text, pg_get_userbyid(p.proowner)
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where p.prokind = 'f' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`;

/** Everything in the database that is not Postgres's own. */
async function thingsIn(client: pg.ClientBase): Promise<Thing[]> {
  const { rows } = await client.query<Thing>(things);
  return rows;
}

/** Tables, views and the like of the product's schemas that no module owns. There should be none. */
export async function ownerless(client: pg.ClientBase, modules: readonly ModuleRole[]): Promise<string[]> {
  const all = await thingsIn(client);
  return all
    .filter(({ kind, schema }) => kind !== 'schema' && schema !== 'kora_meta')
    .filter(({ schema, name }) => ownerOf(modules, schema, name) === undefined)
    .map(({ schema, name }) => `${schema}.${name}`);
}

function ownerOf(modules: readonly ModuleRole[], schema: string, name: string): ModuleRole | undefined {
  return modules.find(({ owns }) => isNamed(owns, schema, name));
}

const isIn = (schema: string) => (pattern: string) => pattern.startsWith(`${schema}.`);

function isNamed(patterns: readonly string[] | undefined, schema: string, name: string): boolean {
  return (patterns ?? []).some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.$]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(`${schema}.${name}`);
  });
}

/** In their order: who gets a table must be allowed into its schema before. */
async function statementsFor(client: pg.ClientBase, modules: readonly ModuleRole[]): Promise<string[]> {
  const all = await thingsIn(client);
  const grants: Grant[] = [];
  const owners: string[] = [];
  for (const { kind, schema, name, sql, owner } of all) {
    if (kind === 'schema') {
      // Also of modules that have nothing there yet.
      for (const { role } of modules.filter(({ owns }) => owns.some(isIn(schema))))
        grants.push({ role, on: 'schema', sql, rights: ['usage', 'create'] });
      continue;
    }
    const module = ownerOf(modules, schema, name);
    if (module === undefined) continue;
    const { role } = module;
    if (isNamed(module.appendsTo, schema, name)) grants.push({ role, on: 'table', sql, rights: ['select', 'insert'] });
    else if (owner !== role) owners.push(`alter ${kind} ${sql} owner to ${role}`);
    if (kind !== 'table' && kind !== 'view') continue;
    for (const reader of modules.filter(({ reads }) => isNamed(reads, schema, name))) {
      grants.push({ role: reader.role, on: 'schema', sql: schema, rights: ['usage'] });
      grants.push({ role: reader.role, on: 'table', sql, rights: ['select'] });
    }
  }
  return [...(await lackingGrants(client, grants)), ...owners];
}

interface Grant {
  readonly role: string;
  readonly on: 'schema' | 'table';
  readonly sql: string;
  readonly rights: readonly string[];
}

async function lackingGrants(client: pg.ClientBase, grants: readonly Grant[]): Promise<string[]> {
  const each = grants.flatMap(({ role, on, sql, rights }) => rights.map((right) => ({ role, on, sql, right })));
  const { rows } = await client.query<{ statement: string }>(
    `select distinct format('grant %s on %s %s to %I', g.right, g.kind, g.name, g.role) as statement
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as g (role, kind, name, "right")
     where not case g.kind when 'schema' then has_schema_privilege(g.role, g.name, g.right)
       else has_table_privilege(g.role, g.name, g.right) end order by 1`,
    [
      each.map(({ role }) => role),
      each.map(({ on }) => on),
      each.map(({ sql }) => sql),
      each.map(({ right }) => right),
    ],
  );
  return rows.map(({ statement }) => statement);
}

/** The same connection as a role: what it may is what the role may. Fails to connect where the user may not act as it. */
export function asRole(config: pg.PoolConfig, role: string): pg.PoolConfig {
  const option = `-c role=${role}`;
  const { connectionString } = config;
  const url = connectionString === undefined ? undefined : new URL(connectionString);
  const own = url?.searchParams.get('options');
  // What a connection string says wins over the other fields.
  if (url !== undefined && own !== undefined && own !== null) {
    url.searchParams.set('options', `${own} ${option}`);
    return { ...config, connectionString: url.href };
  }
  return { ...config, options: config.options === undefined ? option : `${config.options} ${option}` };
}
