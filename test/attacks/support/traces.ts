import type pg from 'pg';

/** A secret, and every spelling in which it could lie about. */
export function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const spellings = [secret, encodeURIComponent(secret), bytes.toString('hex'), bytes.toString('base64url')];
  // Base64 within a longer text begins at another bit: what is the same of all three ways is looked for.
  for (const shift of [1, 2])
    spellings.push(
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .slice(4, -4),
    );
  const digits = secret.replace(/\D/g, '');
  if (secret.startsWith('+')) spellings.push(digits, digits.slice(3));
  if (secret.includes('@')) spellings.push(secret.toLowerCase(), secret.split('@')[0] ?? '');
  return [...new Set(spellings)].filter((spelling) => spelling.length >= 8);
}

export interface Trace {
  readonly where: string;
  readonly spelling: string;
}

/** Where a text holds one of the secrets. */
export function tracesIn(where: string, text: string, secrets: readonly string[]): Trace[] {
  const searched = text.toLowerCase();
  return secrets
    .flatMap(spellingsOf)
    .filter((spelling) => searched.includes(spelling.toLowerCase()))
    .map((spelling) => ({ where, spelling }));
}

/** Every row of every table, as text; bytes as hexadecimal digits. */
export async function everyTable(pool: pg.Pool): Promise<Map<string, string[]>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const found = new Map<string, string[]>();
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
    found.set(
      name,
      rows.map(({ row }) => row),
    );
  }
  return found;
}
