import { join } from 'node:path/posix';
import type { StatementIntake } from '../intake.ts';
import { StatementIntakeError } from '../ports.ts';
import type { SftpSettings } from '../settings.ts';
import { type RemoteFile, SftpError, type SftpSecrets, SftpSession } from './sftp-session.ts';

export interface SftpPollerOptions {
  readonly profile: string;
  readonly settings: SftpSettings;
  readonly secrets: SftpSecrets;
  readonly intake: Pick<StatementIntake, 'receive' | 'import' | 'file'>;
  /** Told of each file that could not be taken, once for each state of it. */
  readonly onTrouble: (error: unknown, what: string) => void;
}

/** What one look at the server came to. */
export interface Polled {
  /** Files that are in, and in the archive. */
  readonly taken: number;
  /** Files that are not taken yet, or cannot be. */
  readonly waiting: number;
}

const by = { actor: 'kora:sftp', reason: 'fetched from the bank' };

/**
 * Fetches the files of one bank profile. A file is taken when two looks have found it the same; it is archived on the server
 * after its lines are in. A process that dies in between finds it again: the same bytes are the same statement.
 */
export class SftpPoller {
  readonly #options: SftpPollerOptions;
  readonly #pattern: RegExp;
  /** As they were at the last look. */
  #seen: ReadonlyMap<string, RemoteFile> = new Map();
  /** Those that cannot be taken as they are. */
  readonly #refused = new Map<string, RemoteFile>();

  constructor(options: SftpPollerOptions) {
    this.#options = options;
    this.#pattern = patternOf(options.settings.pattern);
  }

  /** One look at the server. @throws SftpError; what the intake throws where the fault is ours: then the file waits */
  async turn(signal?: AbortSignal): Promise<Polled> {
    const { settings, secrets } = this.#options;
    const session = await SftpSession.open(settings, secrets);
    try {
      const files = await session.list(settings.folder, this.#pattern);
      const before = this.#seen;
      this.#seen = new Map(files.map((file) => [file.name, file]));
      for (const name of this.#refused.keys()) if (!this.#seen.has(name)) this.#refused.delete(name);
      let taken = 0;
      for (const file of files) {
        if (signal?.aborted === true) break;
        if (!isSame(before.get(file.name), file) || isSame(this.#refused.get(file.name), file)) continue;
        if (await this.#take(session, file)) taken += 1;
      }
      return { taken, waiting: files.length - taken };
    } finally {
      await session.close();
    }
  }

  async #take(session: SftpSession, file: RemoteFile): Promise<boolean> {
    const { profile, settings, onTrouble } = this.#options;
    const path = join(settings.folder, file.name);
    try {
      const hash = await this.#bringIn(session, path, file);
      await this.#archive(session, file, hash);
      return true;
    } catch (error) {
      if (error instanceof StatementIntakeError) {
        this.#refused.set(file.name, file);
        onTrouble(error, `a file of ${profile} is not taken: it stays on the server until it changes`);
        return false;
      }
      // It grew after all: another look.
      if (error instanceof SftpError && error.code === 'Changed') return false;
      throw error;
    }
  }

  /** @returns the hash of its bytes. What is left after it: archive the file. */
  async #bringIn(session: SftpSession, path: string, file: RemoteFile): Promise<string> {
    const { profile, intake } = this.#options;
    const bytes = unchanged(session, path, file);
    const { id } = await intake.receive(bytes, { profile, origin: 'sftp', fileName: file.name, by });
    await intake.import(id, by);
    return (await intake.file(id)).hash;
  }

  async #archive(session: SftpSession, file: RemoteFile, hash: string): Promise<void> {
    const { folder, archiveFolder } = this.#options.settings;
    await session.makeFolder(archiveFolder);
    // By its bytes: another file of the same name is another one, and the same file again gets a number.
    const base = join(archiveFolder, `${file.name}.${hash.slice(0, 12)}`);
    let target = base;
    for (let number = 2; await session.exists(target); number += 1) target = `${base}-${number}`;
    await session.rename(join(folder, file.name), target);
    // The bank may have put another file in its place a moment ago: it is in the archive now, and must be in here too.
    const archived = { name: file.name, ...(await session.stat(target)) };
    if (!isSame(archived, file)) await this.#bringIn(session, target, archived);
  }
}

/** The bytes of a file that is the same when the last one is read. */
async function* unchanged(session: SftpSession, path: string, file: RemoteFile): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const some of session.read(path)) {
    size += some.length;
    yield some;
  }
  const after = { name: file.name, ...(await session.stat(path)) };
  if (size !== file.size || !isSame(after, file)) {
    throw new SftpError(
      'Changed',
      `the file changed while it was fetched: ${file.size} bytes were there, ${size} came`,
    );
  }
}

function isSame(one: RemoteFile | undefined, other: RemoteFile): boolean {
  return one?.size === other.size && one.modifiedAt === other.modifiedAt;
}

/** `*` and `?` as shells have them; everything else is itself. */
function patternOf(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}
