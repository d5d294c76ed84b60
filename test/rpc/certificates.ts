import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** The same, as files. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Certificates made by openssl, in a folder of their own. */
export class Certificates {
  readonly #folder: string;
  #made = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<Certificates> {
    return new Certificates(await mkdtemp(join(tmpdir(), 'kora-certificates-')));
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }

  authority(name: string): Promise<Certificate> {
    return this.#make(name, ['-addext', 'basicConstraints=critical,CA:TRUE']);
  }

  /** @param subjectAltName as openssl writes it, such as "DNS:shop" */
  issued(by: Certificate, commonName: string, subjectAltName?: string): Promise<Certificate> {
    const signer = ['-CA', by.certificateFile, '-CAkey', by.keyFile];
    return this.#make(commonName, [
      ...signer,
      ...['-addext', 'basicConstraints=CA:FALSE'],
      ...(subjectAltName === undefined ? [] : ['-addext', `subjectAltName=${subjectAltName}`]),
    ]);
  }

  async #make(commonName: string, more: readonly string[]): Promise<Certificate> {
    const stem = join(this.#folder, String((this.#made += 1)));
    const [certificateFile, keyFile] = [`${stem}.pem`, `${stem}.key`];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const out = ['-keyout', keyFile, '-out', certificateFile, '-days', '2', '-subj', `/CN=${commonName}`];
    await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...out, ...more]);
    const [certificate, key] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')]);
    return { certificate, key, certificateFile, keyFile };
  }
}
