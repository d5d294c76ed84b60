import type { RecordedRow, RecordedUnit } from '../../eventstore/index.ts';
import { factsOf } from '../../src/machines/fact-codec.ts';
import { Auditor, type AuditedAppend } from '../../src/machines/testing/audit.ts';
import { eventsOf, type Expected } from '../stream/support/oracle.ts';
import { addMoves, consequenceOf, type Movement, type Movements, movementsText, refusedFacts } from './oracle.ts';
import { type Answer, commandOf, type Order, paymentOf } from './orders.ts';

/** An order that somebody is done with. */
export interface Dealt {
  readonly order: Order;
  /** The first answer; undefined: its sender gave up before there was one. */
  readonly answer: Answer | undefined;
}

/** What a client saw of a topic. */
export interface Watched {
  readonly watcher: string;
  readonly topic: string;
  /** It began after this position, or with a snapshot of it. */
  readonly after: number;
  readonly events: readonly Expected[];
}

/** What the doors of a process say of the wallets. */
export interface Told {
  readonly process: string;
  readonly wallets: Movements;
}

/**
 * Holds what clients were told against what is in the log. It believes nothing but the log's rows, and its own
 * arithmetic. Everything that is wrong is a sentence.
 */
export class Check {
  readonly #topics: ReadonlyMap<string, Expected[]>;
  readonly #auditor = new Auditor();
  readonly #units = new Map<string, RecordedUnit[]>();
  readonly #findings: string[] = [];
  readonly #opening: Movements;
  #position = 0;
  #audited = true;

  /** @param opening what the wallets had before the first order, by units that are no orders */
  constructor({ topics, opening }: { readonly topics: readonly string[]; readonly opening: Movements }) {
    this.#topics = new Map(topics.map((topic) => [topic, []]));
    this.#opening = opening;
  }

  /** Where the log was when it was read last. */
  get position(): number {
    return this.#position;
  }

  /** What a client of the topic has to have seen by now. */
  lastOf(topic: string): number {
    return this.#topics.get(topic)?.at(-1)?.position ?? 0;
  }

  /** Takes the next unit of the log. */
  take(unit: RecordedUnit): void {
    if (unit.position !== this.#position + 1) {
      this.#findings.push(`position ${unit.position} follows position ${this.#position} in the log`);
    }
    this.#position = unit.lastPosition;
    const id = unit.meta.commandId ?? '';
    const others = this.#units.get(id);
    if (others === undefined) this.#units.set(id, [unit]);
    else others.push(unit);
    for (const [topic, events] of this.#topics) events.push(...eventsOf(unit, topic));
    if (!this.#audited) return;
    try {
      this.#auditor.observe(unit.rows.map(auditedOf));
    } catch (error) {
      // What comes after it is audited on sand.
      this.#audited = false;
      this.#findings.push(`the unit at position ${unit.position} breaks an invariant: ${String(error)}`);
    }
  }

  /** Everything that is wrong by now. To be asked when nothing is at work. */
  judge(dealt: readonly Dealt[], watched: readonly Watched[] = [], told: readonly Told[] = []): string[] {
    const expected = new Map(this.#opening);
    const findings = [...this.#findings, ...dealt.flatMap((one) => this.#dealtWith(one, expected))];
    const known = new Set(dealt.map(({ order }) => commandOf(order)));
    for (const [id, units] of this.#units) {
      const [unit] = units;
      const isOurs = unit?.rows.some(({ stream }) => stream.startsWith('payment/')) === true;
      if (isOurs && !known.has(id) && !isOpening(unit)) {
        findings.push(`the unit at position ${unit.position} is of a command that nobody sent: ${id}`);
      }
    }
    for (const [wallet, { posted, held }] of expected) {
      const trail = this.#auditor.wallets.get(wallet);
      if (!this.#audited || (trail?.posted === posted && trail.held === held)) continue;
      findings.push(
        `${wallet} should have ${posted.toString()} and hold ${held.toString()}, and has ` +
          `${trail?.posted.toString() ?? 'nothing'} and holds ${trail?.held.toString() ?? 'nothing'} in the log`,
      );
    }
    for (const { process, wallets } of told) {
      for (const [wallet, { posted, held }] of expected) {
        const said = wallets.get(wallet);
        if (said?.posted === posted && said.held === held) continue;
        findings.push(
          `${process} says that ${wallet} has ${said?.posted.toString() ?? 'nothing'} and holds ` +
            `${said?.held.toString() ?? 'nothing'}: ${posted.toString()} and ${held.toString()} are right`,
        );
      }
    }
    return [...findings, ...watched.flatMap((one) => this.#seenOnce(one))];
  }

  #dealtWith({ order, answer }: Dealt, expected: Map<string, Movement>): string[] {
    const id = commandOf(order);
    const name = `${order.type} ${order.key} (${id})`;
    const units = this.#units.get(id) ?? [];
    const [unit] = units;
    if (units.length > 1) {
      const where = units.map(({ position }) => position).join(' and ');
      return [`${name} is in the log ${units.length} times, at ${where}`];
    }
    if (unit === undefined) {
      if (answer === undefined) return [];
      if (!answer.done && answer.paymentId === undefined) return [`${name} was refused as ${answer.refusal}`];
      return [`${name} was acknowledged, and is not in the log`];
    }
    const facts = factsOn(unit, `payment/${paymentOf(order)}`);
    const refused = facts.length > 0 && same(facts, refusedFacts);
    const consequence = consequenceOf(order);
    const right = refused ? { facts: refusedFacts, status: 'FAILED', moves: new Map<string, Movement>() } : consequence;
    addMoves(expected, right.moves);
    const findings: string[] = [];
    if (!same(facts, right.facts)) {
      findings.push(`${name} is half there, at ${unit.position}: ${facts.join(', ') || 'no fact'}`);
    }
    const moved = movementsText(movementsOf(unit));
    if (moved !== movementsText(right.moves)) {
      findings.push(
        `${name} is half there, at ${unit.position}: it moved [${moved}], not [${movementsText(right.moves)}]`,
      );
    }
    if (answer === undefined) return findings;
    if (answer.done === refused) {
      findings.push(`${name} was answered ${JSON.stringify(answer)}, and the log says ${facts.join(', ')}`);
    }
    if (answer.paymentId !== paymentOf(order)) findings.push(`${name} was answered with another payment`);
    if (answer.done && answer.status !== right.status) {
      findings.push(`${name} was answered with ${answer.status}, not ${right.status}`);
    }
    return findings;
  }

  #seenOnce({ watcher, topic, after, events }: Watched): string[] {
    const expected = (this.#topics.get(topic) ?? []).filter(({ position }) => position > after);
    const seen = new Map<number, number>();
    for (const { position } of events) seen.set(position, (seen.get(position) ?? 0) + 1);
    const findings: string[] = [];
    const say = (what: string): void => void findings.push(`${watcher} on ${topic}: ${what}`);
    for (const [position, times] of seen) if (times > 1) say(`the event at ${position} came ${times} times`);
    for (const { position } of expected) if (!seen.has(position)) say(`the event at ${position} never came`);
    if (findings.length > 0) return findings;
    const wrong = events.findIndex((event, index) => JSON.stringify(event) !== JSON.stringify(expected[index]));
    if (wrong !== -1) {
      say(`event ${wrong + 1} is ${JSON.stringify(events[wrong])}, and should be ${JSON.stringify(expected[wrong])}`);
    }
    return findings;
  }
}

/** Units that put the wallets there, before the first order. */
export const openingCorrelation = 'chaos-opening';
function isOpening(unit: RecordedUnit): boolean {
  return unit.meta.correlationId === openingCorrelation;
}

function auditedOf(row: RecordedRow): AuditedAppend {
  const expect = row.stream.startsWith('system/') ? 'any' : row.version - 1;
  return { stream: row.stream, expect, facts: factsOf(row) };
}

function factsOn({ rows }: RecordedUnit, stream: string): string[] {
  return rows.filter((row) => row.stream === stream).flatMap(({ events }) => events.map(({ type }) => type));
}

/** What the entries and holds of a unit did to wallets. */
function movementsOf({ rows }: RecordedUnit): Movements {
  const moves = new Map<string, Movement>();
  for (const { stream, events } of rows) {
    const [category, wallet = ''] = stream.split('/', 2);
    if (category !== 'account') continue;
    for (const { type, data } of events) {
      const { amount = '0', released = '0' } = data as { readonly amount?: string; readonly released?: string };
      if (type === 'EntryPosted') {
        addMoves(moves, new Map([[wallet, { posted: BigInt(amount), held: -BigInt(released) }]]));
      }
      if (type === 'HoldPlaced') addMoves(moves, new Map([[wallet, { posted: 0n, held: BigInt(amount) }]]));
      if (type === 'HoldReleased') addMoves(moves, new Map([[wallet, { posted: 0n, held: -BigInt(amount) }]]));
    }
  }
  return moves;
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
