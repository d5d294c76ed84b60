import { setTimeout as sleep } from 'node:timers/promises';
import { type BankProfile, secretsOf, SftpPoller, type StatementIntake } from './connectors/index.ts';
import type { Leader } from './cluster/leader.ts';
import type { Observability } from './observability/index.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import type { Stages } from './platform/stages.ts';
import { openIntake } from './statement-intake.ts';
import type { OpenedStore } from './store.ts';

interface FetchingOptions {
  readonly intake: StatementIntake;
  readonly profiles: () => readonly BankProfile[];
  /** Where references to secrets are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Told what a look at a bank's server came to. */
  readonly onPolled?: (profile: string, outcome: 'done' | 'failed') => void;
}

interface Ground {
  readonly config: KoraConfig;
  readonly logger: Logger;
  readonly stages: Stages;
  readonly store: OpenedStore;
  readonly seen: Observability;
}

/** What banks say: taken in by whoever asks, and where this process leads, fetched from their servers. */
export async function startStatements(
  { config, logger, stages, store, seen }: Ground,
  {
    lead,
    ...from
  }: Pick<FetchingOptions, 'profiles' | 'env'> & {
    /** Has the work done by one process of several. */
    readonly lead: (work: (signal: AbortSignal) => Promise<void>) => Leader;
  },
): Promise<StatementIntake> {
  const pool = store.poolOf('providers');
  const intake = await openIntake({ config, pool, logger, stages, profiles: from.profiles });
  seen.metrics?.measureStatements(() => intake.figures());
  const onPolled = seen.metrics?.statementsPolled;
  const leader = lead((signal) => runFetching({ intake, logger, ...from, ...(onPolled && { onPolled }) }, signal));
  stages.add('statements are fetched no more', () => leader.stop());
  return intake;
}

/** How often it is looked whether a server is due, or an import broke off. */
const tickMs = 200;
const resumeMs = 5_000;

interface Source {
  /** Another configuration is another source. */
  readonly settings: string;
  readonly poller: Promise<SftpPoller>;
  dueAt: number;
  busy: boolean;
}

/** Fetches what banks have put on their servers, and takes up imports that broke off, until the signal aborts. One process does it. */
async function runFetching(options: FetchingOptions, signal: AbortSignal): Promise<void> {
  const { intake, profiles, logger } = options;
  const sources = new Map<string, Source>();
  const atWork = new Set<Promise<void>>();
  const begin = (work: Promise<void>): void => {
    const ended = work.finally(() => atWork.delete(ended));
    atWork.add(ended);
  };
  let resumeAt = 0;
  let resuming = false;
  while (!signal.aborted) {
    const now = performance.now();
    if (now >= resumeAt && !resuming) {
      resuming = true;
      begin(
        intake
          .resume(signal)
          .then(undefined, (error: unknown) => logger.warn({ err: error }, 'statements wait'))
          .then(() => {
            resuming = false;
            resumeAt = performance.now() + resumeMs;
          }),
      );
    }
    for (const profile of profiles()) {
      const source = sourceOf(sources, profile, options);
      if (source !== undefined && !source.busy && now >= source.dueAt) begin(poll(source, profile, options, signal));
    }
    await sleep(tickMs, undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(atWork);
}

function sourceOf(
  sources: Map<string, Source>,
  { id, statements }: BankProfile,
  { intake, env, logger }: FetchingOptions,
): Source | undefined {
  const sftp = statements?.sftp;
  if (sftp === undefined) {
    sources.delete(id);
    return undefined;
  }
  const settings = JSON.stringify(sftp);
  const present = sources.get(id);
  if (present?.settings === settings) return present;
  const onTrouble = (error: unknown, what: string): void => logger.warn({ err: error, bank_profile: id }, what);
  const poller = secretsOf(id, sftp, { env }).then(
    (secrets) => new SftpPoller({ profile: id, settings: sftp, secrets, intake, onTrouble }),
  );
  poller.catch(() => undefined);
  const source = { settings, poller, dueAt: 0, busy: false };
  sources.set(id, source);
  return source;
}

async function poll(
  source: Source,
  { id, statements }: BankProfile,
  { logger, onPolled }: FetchingOptions,
  signal: AbortSignal,
): Promise<void> {
  source.busy = true;
  try {
    const { taken } = await (await source.poller).turn(signal);
    if (taken > 0) logger.info({ bank_profile: id, taken }, 'statements are fetched');
    onPolled?.(id, 'done');
  } catch (error) {
    logger.warn({ err: error, bank_profile: id }, "the bank's statements cannot be fetched now");
    onPolled?.(id, 'failed');
  }
  source.busy = false;
  source.dueAt = performance.now() + (statements?.sftp?.pollMs ?? resumeMs);
}
