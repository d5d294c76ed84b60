import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  connectorKinds,
  readConnectorsConfig,
  type StatementFile,
  StatementIntakeError,
  type StatementIntake,
  StatementKeys,
} from '../connectors/index.ts';
import { isOwner } from '../kernel/ids.ts';
import { Stages, startedOrStopped } from '../platform/stages.ts';
import { openIntake, statementKeyringOf } from '../statement-intake.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { timeText } from './money-text.ts';
import { configured, printJson, printLine, type Shell } from './shell.ts';
import { fieldLines, tableLines } from './table.ts';
import { withStore } from './with-store.ts';

/** Whoever has the database's password and says nothing more of themselves. */
export const OPERATOR = 'kora:operator';

export interface StatementFlags {
  readonly profile?: string;
  readonly status?: string;
  readonly limit?: string;
  readonly reason?: string;
  readonly principal?: string;
  readonly json?: true;
}

/** Takes a file in, as if the bank's server had had it. */
export async function importStatement(shell: Shell, flags: StatementFlags, path: string): Promise<void> {
  const { profile } = flags;
  if (profile === undefined) throw usage('statements import: --profile is wanted, the id of a bank profile');
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new CommandError(`${path}: there is no such file`);
  const by = { actor: principalOf(flags), reason: 'kora statements import', correlationId: `operator:${randomUUID()}` };
  const { file, duplicate } = await withIntake(shell, flags, async (intake) => {
    const statement = { profile, origin: 'cli', fileName: basename(path), by } as const;
    const received = await intake.receive(createReadStream(path), statement);
    return { file: await intake.import(received.id, by), duplicate: received.duplicate };
  });
  if (flags.json === true) printJson(shell, { statement: viewOf(file), duplicate });
  else {
    if (duplicate) printLine(shell, 'this file came before: nothing is new');
    for (const line of linesOf(file)) printLine(shell, line);
  }
  if (file.status === 'unreadable' || file.status === 'quarantined') shell.exitCode = exitCodes.failed.code;
}

export async function listStatements(shell: Shell, flags: StatementFlags): Promise<void> {
  const { profile, status, limit = '50' } = flags;
  if (!isStatus(status)) throw usage('--status: one of received, parsed, quarantined, unreadable is wanted');
  const number = Number(limit);
  if (!Number.isInteger(number) || number < 1 || number > 200) throw usage('--limit: a number from 1 to 200 is wanted');
  const filter = { ...(profile !== undefined && { profile }), ...(status !== undefined && { status }) };
  const { items } = await withIntake(shell, flags, (intake) => intake.files(filter, { limit: number }));
  if (flags.json === true) printJson(shell, { statements: items.map(viewOf) });
  else for (const line of listLines(items)) printLine(shell, line);
}

export async function showStatement(shell: Shell, flags: StatementFlags, id: string): Promise<void> {
  const file = await withIntake(shell, flags, (intake) => intake.file(id));
  if (flags.json === true) printJson(shell, { statement: viewOf(file) });
  else for (const line of linesOf(file)) printLine(shell, line);
}

export async function releaseStatement(shell: Shell, flags: StatementFlags, id: string): Promise<void> {
  const { reason } = flags;
  if (reason === undefined) throw usage('statements release: --reason is wanted, why its lines count all the same');
  const by = { actor: principalOf(flags), reason, correlationId: `operator:${randomUUID()}` };
  const file = await withIntake(shell, flags, (intake) => intake.release(id, by));
  if (flags.json === true) printJson(shell, { statement: viewOf(file) });
  else printLine(shell, `${id} is released: ${file.findings?.lines ?? 0} lines count now`);
}

/** Wraps the keys of statements with the newest key: then the one before can go. */
export async function resealStatements(shell: Shell, flags: StatementFlags): Promise<void> {
  const { config } = configured(shell, { ...flags });
  const sealer = await statementKeyringOf(config);
  const count = await withStore(shell, flags, (store) => new StatementKeys(store.poolOf('providers'), sealer).reseal());
  const [key] = sealer.keyIds;
  if (flags.json === true) printJson(shell, { key, keys: count });
  else printLine(shell, `${count} keys of statements are wrapped with ${key ?? ''} now`);
}

async function withIntake<Result>(
  shell: Shell,
  flags: StatementFlags,
  work: (intake: StatementIntake) => Promise<Result>,
): Promise<Result> {
  const { config, logger } = configured(shell, { ...flags });
  const { connectorsFile } = config;
  const profiles =
    connectorsFile === undefined ? [] : (await readConnectorsConfig(connectorsFile, connectorKinds())).profiles;
  return withStore(shell, flags, async (store) => {
    const stages = new Stages();
    const pool = store.poolOf('providers');
    const intake = await startedOrStopped(stages, () =>
      openIntake({ config, pool, logger, stages, profiles: () => profiles }),
    );
    try {
      return await work(intake);
    } catch (error) {
      if (!(error instanceof StatementIntakeError)) throw error;
      const hint = error.code === 'UnknownProfile' ? ': --connectors names the file of bank profiles' : '';
      throw new CommandError(`statements: ${error.message}${hint}`);
    } finally {
      await stages.stop();
    }
  });
}

function viewOf(file: StatementFile): object {
  const { id, objectKey, findings, size, linesDone: _done, day: _day, ...rest } = file;
  return { id, ...rest, bytes: size, object: objectKey, ...findings };
}

function linesOf(file: StatementFile): string[] {
  const { findings, release } = file;
  const head = fieldLines([
    ['statement', file.id],
    ['bank profile', file.profile],
    ['status', file.status],
    ['came', `${timeText(file.receivedAt)}, by ${file.origin}`],
    ['bytes', file.size.toString()],
    ['SHA-256', file.hash],
    ['format', findings?.formats.join(', ')],
    ['statements', findings?.statements.toString()],
    ['lines', findings?.lines.toString()],
    ['released', release && `${timeText(release.at)}, by ${release.by}: ${release.reason}`],
  ]);
  const unreadable = findings?.unreadable;
  return [
    ...head,
    ...(unreadable === undefined ? [] : ['', `${unreadable.code}: ${unreadable.message}`]),
    ...(findings === undefined || findings.problemsCount === 0 ? [] : ['', `${findings.problemsCount} problems:`]),
    ...(findings?.problems ?? []).map(
      ({ code, message, line }) => `  ${line === undefined ? '' : `line ${line}: `}${code}: ${message}`,
    ),
  ];
}

function listLines(items: readonly StatementFile[]): string[] {
  if (items.length === 0) return ['there is no such statement'];
  return tableLines(
    [
      { title: 'came (UTC)' },
      { title: 'statement' },
      { title: 'profile' },
      { title: 'status' },
      { title: 'lines', align: 'right' },
      { title: 'problems', align: 'right' },
      { title: 'by' },
    ],
    items.map(({ receivedAt, id, profile, status, findings, origin }) => [
      timeText(receivedAt),
      id,
      profile,
      status,
      findings?.lines.toString() ?? '',
      findings?.problemsCount.toString() ?? '',
      origin,
    ]),
  );
}

function principalOf({ principal = OPERATOR }: StatementFlags): string {
  if (principal !== OPERATOR && !isOwner(principal)) throw usage('--principal: user:<id> is wanted');
  return principal;
}

const statuses = ['received', 'parsed', 'quarantined', 'unreadable'] as const;

function isStatus(text: string | undefined): text is (typeof statuses)[number] | undefined {
  return text === undefined || (statuses as readonly string[]).includes(text);
}

function usage(message: string): CommandError {
  return new CommandError(message, exitCodes.usage.code);
}
