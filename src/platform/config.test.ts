import { describe, expect, test } from 'vitest';
import { ConfigError, configFrom } from './config.ts';
import { configOptions } from './config-options.ts';

// Settings come from flags, the environment and defaults, in this order, and none is taken that cannot be.

describe('settings', () => {
  test('have defaults', () => {
    expect(configFrom({})).toEqual(
      Object.fromEntries(Object.entries(configOptions).map(([name, option]) => [name, option.default])),
    );
  });

  test('come from the environment, and flags win', () => {
    const env = { KORA_RPC_PORT: '0', KORA_HOST: '0.0.0.0', KORA_DATA_DIR: '/srv/kora' };
    expect(configFrom(env, { host: '::1' })).toMatchObject({ rpcPort: 0, host: '::1', dataDir: '/srv/kora' });
  });

  test('that are empty are not set', () => {
    expect(configFrom({ DATABASE_URL: '', KORA_STREAM_PORT: '' })).toMatchObject({
      databaseUrl: undefined,
      streamPort: 7402,
    });
  });

  test.each([
    [{ KORA_RPC_PORT: '65536' }, 'KORA_RPC_PORT: an integer from 0 to 65535 is wanted, not "65536"'],
    [{ KORA_RPC_PORT: '-1' }, 'KORA_RPC_PORT: an integer from 0 to 65535 is wanted, not "-1"'],
    [{ KORA_HOLD_MS: '1.5' }, 'KORA_HOLD_MS: an integer from 1 on is wanted, not "1.5"'],
    [{ KORA_LOG_LEVEL: 'loud' }, 'KORA_LOG_LEVEL: one of debug, info, warn, error, silent is wanted, not "loud"'],
    [
      { EVENTSTORE_URL: 'http://admin:secret@db:2113' },
      'EVENTSTORE_URL: a URL is wanted, as kurrentdb://user:password@host:2113?tls=true',
    ],
    [
      { EVENTSTORE_URL: 'kurrentdb://admin:secret@' },
      'EVENTSTORE_URL: a URL is wanted, as kurrentdb://user:password@host:2113?tls=true',
    ],
    [
      { EVENTSTORE_URL: 'postgresql://kora:secret@db/kora' },
      'EVENTSTORE_URL: for a log in PostgreSQL leave it out: it is in the database of DATABASE_URL, or in the embedded one',
    ],
    [{ DATABASE_URL: 'mysql://db' }, 'DATABASE_URL: a URL is wanted, as postgresql://user:password@host:5432/database'],
    [
      { KORA_ALLOWED_ORIGINS: 'https://app.example,*' },
      'KORA_ALLOWED_ORIGINS: origins are wanted, as https://app.example, not "*"',
    ],
    [
      { KORA_ALLOWED_ORIGINS: 'https://app.example/' },
      'KORA_ALLOWED_ORIGINS: origins are wanted, as https://app.example, not "https://app.example/"',
    ],
    [{ KORA_STREAM_TRANSPORT: 'tcp' }, 'KORA_STREAM_TRANSPORT: one of uws, ws is wanted, not "tcp"'],
  ])('%j are refused', (env, message) => {
    expect(() => configFrom(env)).toThrow(new ConfigError(message));
  });

  test('origins are read as browsers write them', () => {
    const env = { KORA_ALLOWED_ORIGINS: 'https://App.example, http://localhost:5173' };
    expect(configFrom(env).allowedOrigins).toEqual(['https://app.example', 'http://localhost:5173']);
  });

  test('that came by a flag are refused by its name', () => {
    expect(() => configFrom({}, { rpcPort: 'x' })).toThrow('--rpc-port: an integer');
  });

  test.each([
    'kurrentdb://db',
    'kurrentdb://127.0.0.1:2113?tls=false',
    'kurrentdb+discover://admin:s%40cret@a.internal:2113,b.internal:2113/?tls=true&nodePreference=leader',
  ])('take %s as the place of the log', (eventstoreUrl) => {
    expect(configFrom({ EVENTSTORE_URL: eventstoreUrl })).toMatchObject({ eventstoreUrl });
  });

  test('take the address of a Unix socket', () => {
    const databaseUrl = 'postgresql://kora@%2Frun%2Fpostgresql:5432/kora';
    expect(configFrom({ DATABASE_URL: databaseUrl })).toMatchObject({ databaseUrl });
  });
});
