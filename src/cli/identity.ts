import { Argument, Command } from 'commander';
import { keyringOf } from '../identity-options.ts';
import { changeRoleByLogin, isUserRole, reseal, userRoles } from '../identity/index.ts';
import { resealSecrets } from '../webhooks/index.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, printJson, printLine, type Shell, takes } from './shell.ts';
import { withStore } from './with-store.ts';

/** People have one tenant until there are several. */
const TENANT = 'kora';

export function identityCommand(shell: Shell): Command {
  const command = new Command('identity')
    .summary('what an operator does about people: roles, and the keys of what is personal')
    .description(
      'grant gives a user a role and revoke takes one: that is how the first admin comes to be, who then does it through ' +
        'the http door. reseal encrypts everything that is personal, and the secrets of webhooks, anew with the newest key of ' +
        'KORA_IDENTITY_KEYS. ' +
        'Works beside a kora that serves; that one knows of it within seconds.',
    )
    .addArgument(new Argument('<action>', 'what to do').choices(['grant', 'revoke', 'reseal']))
    .argument('[login]', 'phone number with its country code, or e-mail address, that the user signed up with')
    .addArgument(new Argument('[role]', 'which role').choices(userRoles))
    .option('--json', 'print what is so now as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora identity grant +221771234567 admin
  kora identity revoke ada@example.com merchant
  kora identity reseal`,
    );
  takes(command, 'dataDir');
  return command.action((action: string, login: string | undefined, role: string | undefined, flags: Flags) =>
    action === 'reseal' ? resealAll(shell, flags, login) : changeRole(shell, flags, { action, login, role }),
  );
}

interface Flags {
  readonly json?: true;
}

async function changeRole(
  shell: Shell,
  flags: Flags,
  { action, login, role }: { action: string; login: string | undefined; role: string | undefined },
): Promise<void> {
  if (login === undefined || !isUserRole(role)) {
    throw new CommandError(`identity ${action}: a login and a role are wanted`, exitCodes.usage.code);
  }
  const { config } = configured(shell, { ...flags });
  const answer = await withStore(shell, flags, async (store) => {
    const vault = {
      pool: store.poolOf('identity'),
      keyring: await keyringOf(config),
      tenant: TENANT,
      now: () => new Date(),
    };
    return changeRoleByLogin(vault, { login, role, grant: action === 'grant' });
  });
  // Who it is by its id alone: what is printed may land in a log.
  if (!answer.ok) throw new CommandError(`identity ${action}: ${answer.refusal.message}`);
  const { userId, roles } = answer.value;
  if (flags.json === true) printJson(shell, { user: `user:${userId}`, roles });
  else printLine(shell, `user:${userId} is now ${roles.length === 0 ? 'nothing' : roles.join(', ')}`);
}

async function resealAll(shell: Shell, flags: Flags, unwanted: string | undefined): Promise<void> {
  if (unwanted !== undefined) throw new CommandError('identity reseal: takes no login', exitCodes.usage.code);
  const { config } = configured(shell, { ...flags });
  const { keyring, done } = await withStore(shell, flags, async (store) => {
    const ring = await keyringOf(config);
    const vault = { pool: store.poolOf('identity'), keyring: ring, tenant: TENANT, now: () => new Date() };
    // Before identity takes the older keys out of its list: then nothing needs them.
    const webhooks = await resealSecrets(store.poolOf('webhooks'), ring);
    return { keyring: ring, done: { ...(await reseal(vault)), webhooks } };
  });
  const [newest = ''] = keyring.keyIds;
  if (flags.json === true) printJson(shell, { key: newest, ...done });
  else
    printLine(
      shell,
      `${done.users} users, ${done.signingKeys} signing keys and ${done.webhooks} webhooks were sealed anew with key ${newest}`,
    );
}
