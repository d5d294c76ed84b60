import { expect, it } from 'vitest';
import { asRole } from './module-roles.ts';

const role = '-c role=kora_ledger';

it('a connection acts as a role beside whatever else it was told', () => {
  expect(asRole({ host: '/tmp/socket', user: 'kora' }, 'kora_ledger')).toEqual({
    host: '/tmp/socket',
    user: 'kora',
    options: role,
  });
  expect(asRole({ options: '-c jit=off' }, 'kora_ledger').options).toBe(`-c jit=off ${role}`);
  const url = 'postgresql://kora@%2Ftmp%2Fsocket:5432/kora?application_name=mine';
  expect(asRole({ connectionString: url }, 'kora_ledger')).toEqual({ connectionString: url, options: role });
});

it('options of a connection string, which win over all others, are kept with it', () => {
  const connectionString = 'postgresql://kora:p%40ss@db:5432/kora?options=-c%20jit%3Doff&sslmode=require';
  const { connectionString: made = '', options } = asRole({ connectionString }, 'kora_ledger');
  expect(options).toBeUndefined();
  const url = new URL(made);
  expect(url.searchParams.get('options')).toBe(`-c jit=off ${role}`);
  expect(url.searchParams.get('sslmode')).toBe('require');
  expect([url.username, url.password, url.host, url.pathname]).toEqual(['kora', 'p%40ss', 'db:5432', '/kora']);
});
