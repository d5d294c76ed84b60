import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connectorKinds, parseConnectorsConfig, readConnectorsConfig, resolveConnectorConfig } from './index.ts';
import { restSecrets } from './rest/settings.ts';
import type { Secret } from './secrets.ts';

/** Proves that a configuration is filled in, and that a bad one names its place without saying what was written there. */
const kinds = connectorKinds();
const profile = { id: 'mtn-momo', bank_name: 'MTN', supported_rails: ['momo'] };
const local = { id: 'own', type: 'local', profile: 'mtn-momo' };
const rest = {
  id: 'mtn',
  type: 'rest',
  profile: 'mtn-momo',
  settings: { baseUrl: 'https://api.mtn.example/v1', hmacSecret: 'env:MTN' },
};

function mistakeIn(connectors: readonly object[], profiles: readonly object[] = [profile]): string {
  try {
    parseConnectorsConfig({ profiles, connectors }, kinds);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'none';
}

describe('a configuration', () => {
  it('is filled in', () => {
    const document = { profiles: [profile], connectors: [local] };
    expect(parseConnectorsConfig(document, kinds).connectors).toEqual([
      {
        ...local,
        priority: 100,
        rails: [],
        currencies: [],
        capabilities: { collects: true, disburses: true, honoursKeys: true, findsByKey: true },
        limits: {
          requestTimeoutMs: 30_000,
          sendWithinMs: 30_000,
          clockSkewMs: 1_000,
          notFoundFinalAfterMs: 300_000,
          concurrencyMax: 64,
          waitingMax: 256,
        },
        breaker: { failuresMax: 5, openMs: 30_000, successesMin: 2 },
        settings: { latencyMs: 0, outcome: 'confirmed', code: 'Refused', elsewhere: false, healthy: true, mute: false },
      },
    ]);
    expect(document.connectors[0]).toEqual(local);
  });

  it('promises nothing of a provider that it does not say', () => {
    const [read] = parseConnectorsConfig({ profiles: [profile], connectors: [rest] }, kinds).connectors;
    expect(read?.capabilities).toMatchObject({ honoursKeys: false, findsByKey: false });
  });

  it.each([
    [
      [local, { ...rest, limits: { requestTimeoutMs: '5s' } }],
      'connectors[1].limits.requestTimeoutMs: a whole number from 1 to 600000 is wanted',
    ],
    [[{ ...local, type: 'soap' }], 'connectors[0].type: one of rest, mt940, iso20022, local, csv is wanted'],
    [
      [{ ...local, type: 'iso20022', settings: { folder: '/in' } }],
      'connectors[0].settings.folder: is not known here: leave it out',
    ],
    [
      [{ ...local, profile: 'nobody' }],
      'connectors[0].profile: no profile has this id: add one to profiles, or name one',
    ],
    [[{ ...local, colour: 'red' }], 'connectors[0].colour: is not known here: leave it out'],
    [[local, local], 'connectors[1].id: another one has this id: give it its own'],
    [
      [{ ...local, limits: { amountMin: '5', amountMax: '4' } }],
      'connectors[0].limits.amountMin: it is above amountMax: no payment would fit',
    ],
    [[{ ...local, currencies: ['XYZ'] }], 'connectors[0].currencies[0]: a currency of ISO 4217 is wanted, such as XOF'],
    [[{ ...rest, settings: {} }], 'connectors[0].settings.baseUrl: is missing: add it'],
    [
      [{ ...rest, settings: { ...rest.settings, paths: { collect: 'x' } } }],
      'connectors[0].settings.paths.collect: a path is wanted, such as /collections',
    ],
    [[{ id: 'own' }], 'connectors[0].type: is missing: add it'],
  ])('with a mistake names its place: %#', (connectors, mistake) => {
    expect(mistakeIn(connectors)).toBe(mistake);
  });

  it.each([
    ['MTN', "profiles[0].id: a provider's name is wanted, such as mtn-momo, or bank:AB for a bank"],
    ['bank:', "profiles[0].id: a provider's name is wanted, such as mtn-momo, or bank:AB for a bank"],
    ['bank:AB', 'none'],
  ])('takes as a provider what the payment machine takes: %s', (id, mistake) => {
    expect(mistakeIn([], [{ ...profile, id }])).toBe(mistake);
  });

  it.each([
    [{ calendar: { timeZone: 'Africa/Abidjan', cutOff: '16:30', country: 'CI', holidays: ['2025-08-07'] } }, 'none'],
    [
      { calendar: { timeZone: 'Mars/Base', cutOff: '16:30' } },
      'profiles[0].calendar.timeZone: a time zone is wanted, such as Africa/Abidjan',
    ],
    [
      { calendar: { timeZone: 'UTC', cutOff: '25:00' } },
      'profiles[0].calendar.cutOff: an hour is wanted, such as 16:30',
    ],
    [
      { calendar: { timeZone: 'UTC', cutOff: '16:30', holidays: ['2025-02-30'] } },
      'profiles[0].calendar.holidays[0]: a day is wanted, such as 2025-08-07',
    ],
    [
      { rails: { sepa: {} } },
      'profiles[0].rails.sepa: it is none of supported_rails: add it there, or leave it out here',
    ],
    [{ swift_bic: 'nope' }, 'profiles[0].swift_bic: a BIC of ISO 9362 is wanted, such as ECOCCIAB'],
  ])('says of a profile what is wrong: %#', (more, mistake) => {
    expect(mistakeIn([], [{ ...profile, ...more }])).toBe(mistake);
  });

  it('does not take a secret in place of a reference, and does not say it again', () => {
    const mistake = mistakeIn([{ ...rest, settings: { ...rest.settings, hmacSecret: 's3cr3t-of-ours' } }]);
    expect(mistake).toBe(
      'connectors[0].settings.hmacSecret: a reference is wanted, env:NAME or file:/path, never the secret itself',
    );
  });

  it('is read from a file, and an error names the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kora-config-'));
    const file = join(folder, 'connectors.json');
    await expect(readConnectorsConfig(file, kinds)).rejects.toThrow(
      `${file}: cannot be read (ENOENT): name a JSON file that is there`,
    );
    await writeFile(file, '{"profiles": [], "hmac": "s3cr3t');
    await expect(readConnectorsConfig(file, kinds)).rejects.toThrow(
      `${file}: is not JSON: look for a comma or a quote too many or too few`,
    );
    await writeFile(file, '{"profiles": []}');
    await expect(readConnectorsConfig(file, kinds)).rejects.toThrow(`${file}: connectors: is missing: add it`);
    await writeFile(file, JSON.stringify({ profiles: [profile], connectors: [local] }));
    expect((await readConnectorsConfig(file, kinds)).profiles).toEqual([profile]);
    await rm(folder, { recursive: true });
  });
});

describe('a reference to a secret', () => {
  const config = (hmacSecret: string) => {
    const settings = { ...rest.settings, hmacSecret };
    const [read] = parseConnectorsConfig(
      { profiles: [profile], connectors: [{ ...rest, settings }] },
      kinds,
    ).connectors;
    if (read === undefined) throw new Error('nothing was read');
    return read;
  };
  const resolved = async (reference: string, env: Record<string, string> = {}) =>
    (await resolveConnectorConfig(config(reference), restSecrets, { env })).settings['hmacSecret'] as Secret;

  it('is a variable of the environment, or a file without its last line break', async () => {
    expect((await resolved('env:MTN', { MTN: 's3cr3t' })).reveal()).toBe('s3cr3t');
    const folder = await mkdtemp(join(tmpdir(), 'kora-secret-'));
    await writeFile(join(folder, 'hmac'), 'from a file\n');
    expect((await resolved(`file:${join(folder, 'hmac')}`)).reveal()).toBe('from a file');
    await rm(folder, { recursive: true });
  });

  it.each([
    ['env:MTN', 'connector mtn.settings.hmacSecret: MTN is not set: export it'],
    [
      'file:/nowhere/hmac',
      'connector mtn.settings.hmacSecret: /nowhere/hmac cannot be read (ENOENT): put the secret there',
    ],
    ['vault:bank/hmac', 'connector mtn.settings.hmacSecret: vault: is not there yet: use env:NAME or file:/path'],
  ])('that leads nowhere is an error: %s', async (reference, message) => {
    await expect(resolved(reference)).rejects.toThrow(message);
  });

  it('stands for something that does not show itself', async () => {
    const read = await resolveConnectorConfig(config('env:MTN'), restSecrets, { env: { MTN: 's3cr3t' } });
    const shown = [
      JSON.stringify(read),
      inspect(read, { depth: 9, showHidden: true }),
      String(read.settings['hmacSecret']),
    ];
    for (const text of shown) {
      expect(text).toContain('[secret]');
      expect(text).not.toContain('s3cr3t');
    }
  });
});

describe('the schemas of a bank profile', () => {
  const xsd = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Document"/></xs:schema>';

  it('are read with the configuration: one that cannot be used is refused with its place', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kora-schemas-'));
    const [file, good, bad] = ['connectors.json', 'good.xsd', 'bad.xsd'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    try {
      await writeFile(good, xsd);
      await writeFile(bad, '<a/>');
      const read = async (schemas: unknown) => {
        const document = { profiles: [{ ...profile, statements: { schemas } }], connectors: [local] };
        await writeFile(file, JSON.stringify(document));
        return readConnectorsConfig(file, kinds);
      };
      expect((await read(good)).profiles[0]?.statements?.schemas).toBe(good);
      expect((await read({ 'urn:a': good })).profiles[0]?.statements?.schemas).toEqual({ 'urn:a': good });
      await expect(read({ 'urn:a': good, 'urn:b': bad })).rejects.toMatchObject({
        code: 'ConnectorConfig',
        message: `${file}: profiles[0].statements.schemas["urn:b"]: is no XSD that can be used: look at the file`,
      });
      await expect(read(join(folder, 'none.xsd'))).rejects.toThrow('schemas: cannot be read (ENOENT)');
      await expect(read(7)).rejects.toThrow('schemas: the path of an XSD is wanted, or paths by namespace');
      await expect(read({ 'urn:a': 7 })).rejects.toThrow('the path of an XSD is wanted');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
