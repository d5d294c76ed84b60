import type { SpawnOptions } from 'node:child_process';
import { chown, readFile } from 'node:fs/promises';
import type { PostgresBinaries } from './binaries.ts';
import { run, type Command } from './processes.ts';
import { EmbeddedPostgresError } from './errors.ts';

export interface Identity {
  uid: number;
  gid: number;
}

/** Who runs Postgres, and how a program is started as that user. */
export interface ServerUser {
  uid: number;
  /** Gives a file or folder to the user. Does nothing when the user is ourselves. */
  own(path: string): Promise<void>;
  command(program: string, args: string[]): Command;
}

const serverOptions: SpawnOptions = {
  // Ours could redirect the server (PGPORT, PGDATA) or change the language of its messages.
  env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C' },
  // Our own working folder may be closed to the user.
  cwd: '/',
  // A Ctrl-C in the terminal goes to the whole process group; Postgres must outlive our drain.
  detached: true,
};

/**
 * Who owns the files of Postgres: undefined for ourselves.
 *
 * Postgres refuses to run as root. An ordinary user runs it under its own name; root gives it to whoever owns the cluster (or
 * the folder that it shall be made in), else to the user `postgres`, else to `nobody`.
 */
export async function serverIdentity(owner: Identity | undefined): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (owner !== undefined && owner.uid !== 0) return owner;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new EmbeddedPostgresError(
    'Postgres refuses to run as root, and this machine has neither a user "postgres" nor "nobody": ' +
      'create one, start kora as an ordinary user, or set DATABASE_URL',
  );
}

/** @param folder what the server must be able to enter */
export async function chooseServerUser(
  identity: Identity | undefined,
  binaries: PostgresBinaries,
  folder: string,
): Promise<ServerUser> {
  if (identity !== undefined) return dropTo(identity, binaries, folder);
  return {
    uid: process.getuid?.() ?? 0,
    own: () => Promise.resolve(),
    command: (program, args) => ({ program, args, options: serverOptions }),
  };
}

/**
 * Root drops to `identity`, with the least privilege under which that user reaches the binaries and `folder`.
 *
 * A clone or a data folder below a private home (mode 0700) is closed to that user. One capability opens it:
 * CAP_DAC_READ_SEARCH lets it walk and read; CAP_DAC_OVERRIDE also lets it write, but is all that a default container has, and
 * what it takes to execute a file of mode 0700. Postgres checks its own binaries by access(2), which ignores the capabilities
 * of an ordinary user unless the securebit no_setuid_fixup is set. Each way is tried out rather than derived from modes, since
 * ACLs and mount options count too.
 */
async function dropTo(identity: Identity, binaries: PostgresBinaries, folder: string): Promise<ServerUser> {
  const own = (path: string) => chown(path, identity.uid, identity.gid);
  const complaints: string[] = [];
  for (const capability of [undefined, 'dac_read_search', 'dac_override']) {
    const user: ServerUser = { uid: identity.uid, own, command: commandAs(identity, capability) };
    const complaint = await complaintOf(user, binaries, folder);
    if (complaint === undefined) return user;
    complaints.push(complaint);
  }
  throw new EmbeddedPostgresError(
    `root runs Postgres as the user with id ${identity.uid}, who cannot reach ${binaries.root} or ${folder}: ` +
      `choose a folder that everybody may enter with --data-dir (such as /var/lib/kora), move kora out of a private home, ` +
      `or start it as an ordinary user. Tried: ${complaints.join('; ')}`,
  );
}

function commandAs({ uid, gid }: Identity, capability: string | undefined): ServerUser['command'] {
  if (capability === undefined) return (program, args) => ({ program, args, options: { ...serverOptions, uid, gid } });
  const setpriv = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    `--inh-caps=-all,+${capability}`,
    `--ambient-caps=-all,+${capability}`,
    '--securebits=+no_setuid_fixup',
  ];
  return (program, args) => ({
    program: 'setpriv',
    args: [...setpriv, '--', program, ...args],
    options: serverOptions,
  });
}

/** Why the user cannot run the binaries or enter the folder; undefined when it can. */
async function complaintOf(user: ServerUser, binaries: PostgresBinaries, folder: string): Promise<string | undefined> {
  const script = 'cd "$1" && "$2" --version && cat "$3" >/dev/null';
  const sample = `${binaries.root}/share/postgresql/postgresql.conf.sample`;
  try {
    const outcome = await run(user.command('/bin/sh', ['-c', script, 'sh', folder, binaries.postgres, sample]));
    // Postgres complains of an "invalid binary" and still exits with 0.
    if (outcome.exitCode === 0 && outcome.stderr === '') return undefined;
    return outcome.stderr.trim().replaceAll('\n', ' ') || `exit code ${outcome.exitCode ?? 'none'}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
