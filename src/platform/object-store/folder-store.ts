import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncPath } from '../durable-file.ts';
import { checkKey, ObjectStoreError, type ObjectStore } from './object-store.ts';

/** Objects as files of a folder that is ours alone: what runs without an object store has. */
export class FolderStore implements ObjectStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(key: string, file: string): Promise<'stored' | 'exists'> {
    const target = this.#fileOf(key);
    return this.#available(async () => {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      const draft = join(dirname(target), `.${randomUUID()}.draft`);
      try {
        await copyFile(file, draft);
        await syncPath(draft);
        // A link, not a rename: a rename would put another object in the place of one that is there.
        await link(draft, target);
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return 'exists';
        throw error;
      } finally {
        await rm(draft, { force: true });
      }
      // The name, and the names of the folders on the way to it.
      for (let folder = dirname(target); folder.startsWith(this.#folder); folder = dirname(folder)) {
        await syncPath(folder);
      }
      return 'stored';
    });
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array>> {
    if ((await this.head(key)) === undefined) throw new ObjectStoreError('ObjectMissing', `there is no object ${key}`);
    return createReadStream(this.#fileOf(key));
  }

  async head(key: string): Promise<{ readonly size: number } | undefined> {
    const file = this.#fileOf(key);
    return this.#available(async () => {
      try {
        const { size } = await stat(file);
        return { size };
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #fileOf(key: string): string {
    checkKey(key);
    return join(this.#folder, key);
  }

  async #available<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw new ObjectStoreError('StoreUnavailable', `the folder of objects: ${codeOf(error)}`, { cause: error });
    }
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'Error';
}
