/** `npm run chaos -- --rounds N --seed S`: docs/chaos.md says what is broken, and what must hold. */
import { parseArgs } from 'node:util';
import { chaos, type Round } from './chaos.ts';

const usage = 'npm run chaos -- [--rounds <number>] [--seed <number>] [--alone]\n';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort());

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readArguments();
  if (asked === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const { rounds, seed, forwards } = asked;
  say(`${rounds} rounds, seed ${seed}, processes ${forwards ? 'forward to each other' : 'do not know of each other'}`);
  const startedAt = performance.now();
  try {
    const outcome = await chaos({
      rounds,
      seed,
      forwards,
      signal: interrupted.signal,
      onRound: (round) => say(lineOf(round)),
    });
    const { acknowledged, resent, givenUp, events, reconnects, findings, folder } = outcome;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    say(
      `${outcome.rounds.length} rounds in ${seconds} s: ${acknowledged} commands acknowledged, ${resent} times sent again, ` +
        `${givenUp} given up; ${events} events in the log; ${reconnects} times a watcher went on elsewhere`,
    );
    if (findings.length === 0) {
      say('everything holds');
      return 0;
    }
    for (const finding of findings) say(`WRONG  ${finding}`);
    say(`${findings.length} things are wrong (seed ${seed}). The data and the logs of the processes: ${folder ?? ''}`);
    return 1;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    say('stopped: everything that was started is gone');
    return 130;
  }
}

function lineOf({ number, broken, silenceMs, wholeMs, acknowledged, findings }: Round): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return (
    `round ${String(number).padStart(2)}  ${broken.join('; ')}: silent for ${seconds(silenceMs)}, ` +
    `whole after ${seconds(wholeMs)}, ${acknowledged} acknowledged${findings.length === 0 ? '' : `, ${findings.length} WRONG`}`
  );
}

function readArguments(): { readonly rounds: number; readonly seed: number; readonly forwards: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: { rounds: { type: 'string' }, seed: { type: 'string' }, alone: { type: 'boolean', default: false } },
    });
    const rounds = Number(values.rounds ?? 60);
    const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
    return Number.isSafeInteger(rounds) && rounds > 0 && Number.isSafeInteger(seed)
      ? { rounds, seed, forwards: !values.alone }
      : undefined;
  } catch {
    return undefined;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
