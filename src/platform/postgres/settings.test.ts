import { expect, test } from 'vitest';
import { fingerprint, renderSettings, serverSettings } from './settings.ts';

/** Proves what goes into the configuration file, and when a running server counts as outdated. */
test('overrides win over what a payment log wants', () => {
  expect(serverSettings()).toMatchObject({ fsync: 'on', synchronous_commit: 'on', jit: 'off' });
  expect(serverSettings({ jit: 'on', shared_buffers: '8MB' })).toMatchObject({
    fsync: 'on',
    jit: 'on',
    shared_buffers: '8MB',
  });
});

test('memory is a quarter of the machine, within bounds', () => {
  const megabytes = Number.parseInt(String(serverSettings()['shared_buffers']));
  expect(megabytes).toBeGreaterThanOrEqual(32);
  expect(megabytes).toBeLessThanOrEqual(2048);
});

test('a quote in a value does not end it, and a backslash is one', () => {
  expect(renderSettings({ log_line_prefix: "it's ", max_connections: 5, archive_command: '\\' })).toMatch(
    /^log_line_prefix = 'it''s '\nmax_connections = '5'\narchive_command = '\\\\'\n$/m,
  );
});

test('a server is outdated when its settings or its programs changed, not when their order did', () => {
  const binaries = { root: '/kora', version: '18.4.0' };
  const mark = fingerprint({ jit: 'off', fsync: 'on' }, binaries);
  expect(fingerprint({ fsync: 'on', jit: 'off' }, binaries)).toBe(mark);
  expect(fingerprint({ fsync: 'on', jit: 'on' }, binaries)).not.toBe(mark);
  expect(fingerprint({ jit: 'off', fsync: 'on' }, { ...binaries, version: '18.5.0' })).not.toBe(mark);
});
