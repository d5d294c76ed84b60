import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { checkKey, ObjectStoreError, type ObjectStore } from './object-store.ts';

export interface S3Options {
  readonly bucket: string;
  readonly region: string;
  /** Of a server that speaks the protocol and is not Amazon's: `http://127.0.0.1:9000`. */
  readonly endpoint?: string | undefined;
  /** The bucket in the path and not in the host's name, as most servers of one's own want it. */
  readonly pathStyle: boolean;
  /** Default: where the library looks by itself (the environment, a role of the machine). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Objects in a bucket. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor({ bucket, region, endpoint, pathStyle, credentials }: S3Options) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
      // What is stored authenticates itself, and many servers do not know the trailing checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials && { credentials: { ...credentials } }),
    });
  }

  async put(key: string, file: string): Promise<'stored' | 'exists'> {
    // Asked first, for servers that do not know the condition; the condition holds against whoever comes at the same time.
    if ((await this.head(key)) !== undefined) return 'exists';
    const { size } = await stat(file);
    const body = createReadStream(file);
    try {
      await this.#client.send(
        new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ContentLength: size, IfNoneMatch: '*' }),
      );
      return 'stored';
    } catch (error) {
      if (statusOf(error) === 412) return 'exists';
      throw unavailable(error);
    } finally {
      body.destroy();
    }
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array>> {
    checkKey(key);
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return Body as Readable;
    } catch (error) {
      if (statusOf(error) === 404) throw new ObjectStoreError('ObjectMissing', `there is no object ${key}`);
      throw unavailable(error);
    }
  }

  async head(key: string): Promise<{ readonly size: number } | undefined> {
    checkKey(key);
    try {
      const { ContentLength = 0 } = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }));
      return { size: ContentLength };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw unavailable(error);
    }
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function unavailable(error: unknown): ObjectStoreError {
  const { name = 'Error' } = error as { name?: string };
  return new ObjectStoreError('StoreUnavailable', `the object store does not take or give it: ${name}`, {
    cause: error,
  });
}
