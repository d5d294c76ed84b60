import type { Kora } from '../../composition.ts';
import type { Driver } from '../driver.ts';
import type { Random } from '../random.ts';
import { compareBooks } from './books.ts';
import { Chronicle } from './chronicle.ts';
import { backupId, mainId, profile, twoConnectors, writeDocument } from './connectors-document.ts';
import { MobilePayments } from './mobile-payments.ts';
import { ProviderProcess } from './provider-process.ts';
import { breakerLine, kindFlags, playProviders } from './story.ts';

export { noConnectors, secretName, writeDocument } from './connectors-document.ts';

/** What the chapter does to connectors on purpose, it tells itself: their own warnings would be in its way. */
export function isOfChapter(line: string): boolean {
  return line.includes(`connector_id=${mainId}`) || line.includes(`connector_id=${backupId}`);
}

export interface ChapterOptions {
  readonly kora: Kora;
  /** The connectors document that kora watches. */
  readonly file: string;
  readonly secret: string;
  readonly seed: number;
  readonly host: string;
}

/** The demo's chapter of providers: two of them, as processes of their own, and what kora does when one of them fails. */
export class ProvidersChapter {
  readonly #kora: Kora;
  readonly #providers: { readonly main: ProviderProcess; readonly backup: ProviderProcess };
  readonly #stop = new AbortController();
  readonly #chronicle: Chronicle;
  readonly #followed: Promise<void>;
  #say: (line: string) => void = () => undefined;

  private constructor(
    kora: Kora,
    from: number,
    providers: { readonly main: ProviderProcess; readonly backup: ProviderProcess },
  ) {
    this.#kora = kora;
    this.#providers = providers;
    this.#chronicle = new Chronicle(kora.log, profile, (breaker) => this.#say(breakerLine(breaker)));
    this.#followed = this.#chronicle.follow(from, this.#stop.signal);
  }

  /** Starts the providers, and tells kora of them. Whoever opens it closes it. */
  static async open({ kora, file, secret, seed, host }: ChapterOptions): Promise<ProvidersChapter> {
    const from = await kora.log.lastPosition();
    const start = (id: string, number: number): Promise<ProviderProcess> => {
      const callbackUrl = `http://${host}:${kora.httpPort ?? 0}/v1/providers/${id}/callbacks`;
      return ProviderProcess.start({ secret, seed: seed + number, callbackUrl, behaviour: kindFlags });
    };
    const started = await Promise.allSettled([start(mainId, 0), start(backupId, 1)]);
    const [main, backup] = started.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
    if (main === undefined || backup === undefined) {
      await Promise.all([main?.stop(), backup?.stop()]);
      throw new Error('a provider did not start', { cause: started.find(({ status }) => status === 'rejected') });
    }
    const chapter = new ProvidersChapter(kora, from, { main, backup });
    await writeDocument(file, twoConnectors({ main: main.url, backup: backup.url })).catch(async (error: unknown) => {
      await chapter.close();
      throw error;
    });
    return chapter;
  }

  /** Where the providers are told how to behave. */
  get admins(): readonly string[] {
    return [this.#providers.main.admin, this.#providers.backup.admin];
  }

  async play(options: {
    readonly say: (line: string) => void;
    readonly driver: Driver;
    readonly random: Random;
    readonly date: string;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { say, driver, random, date, signal } = options;
    this.#say = (line) => say(`  ${line}`);
    const payments = new MobilePayments(driver, random, date);
    await payments.open(signal);
    const chronicle = this.#chronicle;
    await playProviders({ ...this.#providers, say: this.#say, chronicle, payments, signal });
    // What became of them, as anybody would ask: the answers of then said no more than that they were agreed.
    await driver.latest([...chronicle.journeys.keys()], signal);
  }

  /** What the providers report of the day, once it is over. */
  async settlementReports(): Promise<readonly string[]> {
    const { main, backup } = this.#providers;
    await Promise.all([main.settle(), backup.settle()]);
    return [...main.reports, ...backup.reports];
  }

  /** When the projections have everything. */
  async report(): Promise<{ readonly lines: readonly string[]; readonly problems: readonly string[] }> {
    const { main, backup } = this.#providers;
    const totals = { main: await main.totals(), backup: await backup.totals() };
    return compareBooks({ kora: this.#kora, totals, chronicle: this.#chronicle });
  }

  /** Lets go of the log. Before kora is closed. */
  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#followed;
  }

  /** Ends the providers. After kora, whose last payments may be with them. */
  async close(): Promise<void> {
    await this.leave();
    await Promise.all([this.#providers.main.stop(), this.#providers.backup.stop()]);
  }
}
