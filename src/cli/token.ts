import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { isScope, type Scope, scopes as everyScope } from '../gateway/scopes.ts';
import { issueServiceToken } from '../gateway/service-token.ts';
import { serviceKeyOf } from '../service-key.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, printJson, printLine, type Shell, takes } from './shell.ts';

interface Flags {
  readonly service: string;
  readonly ttl: string;
  readonly tenant: string;
  readonly scope?: readonly Scope[];
  readonly json?: true;
}

export function tokenCommand(shell: Shell): Command {
  const command = new Command('token')
    .summary('make a service token for the doors')
    .description(
      'Makes a token that lets a service in at the doors: send it as "authorization: Bearer <token>". It is signed with ' +
        'KORA_SERVICE_KEY, or with the key of the data folder. The principal of what the service asks for is service:<name>.',
    )
    .requiredOption('--service <name>', 'name of the service, 1 to 64 of A-Z a-z 0-9 _ . -')
    .option('--ttl <time>', 'how long it is good: a number with s, m, h or d', '1h')
    .option('--tenant <name>', 'tenant that the service works for', 'kora')
    .option(
      '--scope <scope>',
      `what it may call, and may be given again: ${everyScope.join(', ')} (default: everything)`,
      collect,
    )
    .option('--json', 'print token, principal, scopes and end as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora token --service shop
  kora token --service shop --ttl 30d --json
  kora token --service till --scope payments:write --scope payments:read
  curl -H "authorization: Bearer $(kora token --service shop)" …`,
    );
  takes(command, 'dataDir');
  return command.action((flags: Flags) => makeToken(shell, flags));
}

async function makeToken(shell: Shell, flags: Flags): Promise<void> {
  const { service, tenant, scope: scopes } = flags;
  const ttlSeconds = secondsOf(flags.ttl);
  const { config } = configured(shell, { ...flags });
  // A key that is made before its data folder is would be in the way of whoever makes that.
  if (config.serviceKey === undefined && !existsSync(config.dataDir)) {
    throw new CommandError(
      `there is no data folder ${config.dataDir} yet: start \`kora serve\` once, it makes the key`,
    );
  }
  const now = new Date();
  let token: string;
  try {
    const key = await serviceKeyOf(config);
    token = await issueServiceToken({ key, service, tenant, ttlSeconds, ...(scopes && { scopes }), now: () => now });
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(error.message, exitCodes.usage.code);
    throw error;
  }
  const expiresAt = new Date((Math.floor(now.getTime() / 1000) + ttlSeconds) * 1000).toISOString();
  if (flags.json === true) {
    printJson(shell, { token, principal: `service:${service}`, tenant, ...(scopes && { scopes }), expiresAt });
  } else printLine(shell, token);
}

function collect(text: string, before: readonly Scope[] = []): readonly Scope[] {
  if (isScope(text)) return [...before, text];
  const message = `--scope: one of ${everyScope.join(', ')} is wanted, not ${JSON.stringify(text)}`;
  throw new CommandError(message, exitCodes.usage.code);
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function secondsOf(text: string): number {
  const [, count, unit = 's'] = /^([1-9][0-9]{0,8})([smhd])?$/.exec(text) ?? [];
  if (count === undefined) {
    throw new CommandError(
      `--ttl: a time as 90s, 15m, 1h or 30d is wanted, not ${JSON.stringify(text)}`,
      exitCodes.usage.code,
    );
  }
  return Number(count) * (unitSeconds[unit] ?? 1);
}
