import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Command, Option } from 'commander';
import { watchStarter } from '../../src/cli/watch-starter.ts';
import { Bank } from './bank.ts';
import { type BehaviourName, behaviourNames, behaviours, readBehaviour, standardBehaviour } from './behaviour.ts';
import { Callbacks } from './callbacks.ts';
import { Dice } from './dice.ts';
import { adminDoor, type House, publicDoor, type Tls } from './doors.ts';
import { Outage } from './outage.ts';
import { Payments } from './payments.ts';
import { Settlement } from './settlement.ts';
import { Signatures } from './signing.ts';

/** `npm run provider`: a mobile-money provider and bank to play with. docs/connectors.md says how. */
const HOST = '127.0.0.1';
const DAY_MS = 86_400_000;

interface Flags extends Record<string, unknown> {
  readonly port: string;
  readonly adminPort: string;
  readonly seed: string;
  readonly secret: string;
  readonly apiKey?: string;
  readonly clockWithin: string;
  readonly callbackUrl?: string;
  readonly fee: string;
  readonly feeFixed: string;
  readonly reports?: string;
  readonly dayLength?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
}

const program = new Command('provider')
  .description('A mobile-money provider and bank to play with, on this machine only. Ctrl-C ends it.')
  .option('--port <port>', 'where clients call; 0: any that is free', '7600')
  .option('--admin-port <port>', 'where it is told how to behave', '7601')
  .option('--seed <text>', 'the same seed does the same to the same payments', '1')
  .addOption(
    new Option('--secret <text>', 'of signatures, both ways').env('PROVIDER_SECRET').default('only-to-play-with'),
  )
  .addOption(new Option('--api-key <text>', 'that clients must show').env('PROVIDER_API_KEY'))
  .option('--clock-within <ms>', 'how old or new the time-stamp of a request may be', '300000')
  .option('--callback-url <url>', 'who is told what became of a payment')
  .option('--fee <basis points>', 'of the amount, rounded up', '100')
  .option('--fee-fixed <minor units>', 'more, of every payment', '0')
  .option('--reports <folder>', 'where settlement reports are written too')
  .option('--day-length <ms>', 'a day ends so often; without it at midnight UTC')
  .option('--tls-cert <file>', 'PEM: then https')
  .option('--tls-key <file>', 'PEM')
  .option('--tls-client-ca <file>', 'PEM: clients must have a certificate of this authority');
for (const name of behaviourNames) {
  const { kind, standard, what } = behaviours[name];
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (kind === 'switch') program.option(`--no-${flag}`, `not: ${what}`);
  else program.option(`--${flag} <${kind}>`, what, String(standard));
}

const flags = program.parse().opts<Flags>();
try {
  await run(flags);
} catch (error) {
  program.error(`provider: ${error instanceof Error ? error.message : String(error)}`);
}

async function run(given: Flags): Promise<void> {
  const house = build(given);
  const outage = new Outage();
  const door = publicDoor(house, () => outage.kind, tlsOf(given));
  await door.listen({ host: HOST, port: Number(given.port) });
  const { port } = door.server.address() as AddressInfo;
  outage.of(door.server, { host: HOST, port });
  const admin = adminDoor(house, outage);
  await admin.listen({ host: HOST, port: Number(given.adminPort) });
  const { port: adminPort } = admin.server.address() as AddressInfo;
  endDays(house.settlement, given.dayLength === undefined ? undefined : Number(given.dayLength));

  const scheme = given.tlsCert === undefined ? 'http' : 'https';
  process.stdout.write(`provider ready: ${scheme}://${HOST}:${port} admin: http://${HOST}:${adminPort}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));
  // npm dies of a SIGTERM and passes nothing on.
  if (process.env['npm_lifecycle_event'] === 'provider') watchStarter(() => process.exit(0));
  // Whoever started us with a channel is not outlived, whatever ended it: the channel breaks, and we go too.
  process.once('disconnect', () => process.exit(0));
  process.channel?.unref();
}

function build(given: Flags): House {
  const bank = new Bank({ basisPoints: BigInt(given.fee), fixed: BigInt(given.feeFixed) });
  const signatures = new Signatures(given.secret, given.apiKey, Number(given.clockWithin));
  const callbacks = new Callbacks(given.callbackUrl, signatures);
  const behaviour = readBehaviour(pick(given, behaviourNames));
  const payments = new Payments(bank, new Dice(given.seed), callbacks, { ...standardBehaviour, ...behaviour });
  return { bank, payments, callbacks, signatures, settlement: new Settlement(bank, payments, given.reports) };
}

function pick(given: Flags, names: readonly BehaviourName[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, given[name]]));
}

function tlsOf({ tlsCert, tlsKey, tlsClientCa }: Flags): Tls | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const read = (file: string): string => readFileSync(file, 'utf8');
  return { cert: read(tlsCert), key: read(tlsKey), ...(tlsClientCa === undefined ? {} : { ca: read(tlsClientCa) }) };
}

function endDays(settlement: Settlement, lengthMs: number | undefined): void {
  const now = Date.now();
  const untilMs = lengthMs ?? DAY_MS - (now % DAY_MS);
  setTimeout(() => {
    void settlement.settle();
    endDays(settlement, lengthMs);
  }, untilMs).unref();
}
