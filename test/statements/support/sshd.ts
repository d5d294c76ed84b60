import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const binary = '/usr/sbin/sshd';
export const hasSshd = existsSync(binary);
/** Passwords are those of the system: a user who has one can only be made by root. */
export const mayMakeUsers = process.getuid?.() === 0;

/** An OpenSSH server as an ordinary process: its own keys, its own configuration, a port of the loopback. */
export class Sshd {
  readonly folder: string;
  readonly port: number;
  readonly user = userInfo().username;
  /** The private key that it lets in, and the fingerprint of its own. */
  key = '';
  fingerprint = '';
  /** One who may come with a password; only root can make one. */
  #passwordUser: string | undefined;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  static async start(): Promise<Sshd> {
    const sshd = new Sshd(await mkdtemp(join(tmpdir(), 'kora-sshd-')), await freePort());
    const at = (name: string): string => join(sshd.folder, name);
    const makeKey = (name: string): unknown =>
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
    makeKey('host');
    makeKey('client');
    await chmod(sshd.folder, 0o755);
    await mkdir(at('in'));
    await writeFile(at('authorized'), await readFile(at('client.pub')));
    sshd.key = await readFile(at('client'), 'utf8');
    const shown = execFileSync('ssh-keygen', ['-l', '-f', at('host.pub')]).toString();
    sshd.fingerprint = /SHA256:\S+/.exec(shown)?.[0] ?? '';
    // Where it separates privileges, which only root's server does.
    if (mayMakeUsers) await mkdir('/run/sshd', { recursive: true });
    const config = [
      `Port ${sshd.port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host')}`,
      `PidFile ${at('pid')}`,
      `AuthorizedKeysFile ${at('authorized')}`,
      'PermitRootLogin yes',
      'PasswordAuthentication yes',
      'StrictModes no',
      'UsePAM no',
      'LogLevel DEBUG1',
      'Subsystem sftp internal-sftp',
    ];
    await writeFile(at('config'), `${config.join('\n')}\n`);
    await sshd.serve();
    return sshd;
  }

  async serve(): Promise<void> {
    const child = spawn(binary, ['-D', '-e', '-f', join(this.folder, 'config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    child.stderr.on('data', (chunk: Buffer) => void appendFile(join(this.folder, 'log'), chunk).catch(() => undefined));
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await answers(this.port)) return;
      await sleep(50);
    }
    throw new Error(`sshd does not listen: ${await this.log()}`);
  }

  /** What it has written down. */
  log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8').catch(() => '');
  }

  /** Ends at once, and so do the connections. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null) return;
    // Each connection has a process of its own, with a session and a group of its own.
    for (const pid of descendants(child.pid)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** A user of the system with a password, until `stop`. */
  makeUser(password: string): string {
    const name = `korasftp${process.pid}`;
    const hash = execFileSync('openssl', ['passwd', '-6', password]).toString().trim();
    execFileSync('useradd', ['-M', '-d', '/nonexistent', '-s', '/bin/sh', '-p', hash, name]);
    this.#passwordUser = name;
    return name;
  }

  async stop(): Promise<void> {
    await this.kill();
    if (this.#passwordUser !== undefined) execFileSync('userdel', ['-f', this.#passwordUser], { stdio: 'ignore' });
    await rm(this.folder, { recursive: true });
  }
}

function descendants(pid: number): number[] {
  let children: number[];
  try {
    children = execFileSync('pgrep', ['-P', String(pid)])
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  } catch {
    return [];
  }
  return children.flatMap((child) => [...descendants(child), child]);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
