import type { StatementPart } from '../statement.ts';
import { Mt940Statement, type MessageHead } from './mt940-statement.ts';
import { unreadable } from './mt940-values.ts';

/** One field's text, all its lines; more than any bank sends. */
const FIELD_LENGTH_MAX = 262_144;

const BLOCKS_IN_LINE_MAX = 100;

type Stage = 'between' | 'head' | 'lines' | 'foot';

const FIELD = /^:(\d\d[A-Z]?|NS):/;

/** Fields that end the text of another wherever they stand: no time of day is `:61:` or later. */
const ALWAYS = new Set(['60', '60F', '60M', '61', '62', '62F', '62M', '64', '65', '86', '90C', '90D', '34F', 'NS']);
/** Fields that stand at a message's beginning. Within text, `:25:` is the half of a time that a bank has wrapped. */
const OPENING = new Set(['13', '13D', '20', '21', '25', '25P', '28', '28C']);

/**
 * Finds messages and fields in the lines of a file: with the blocks of SWIFT around them or bare, ended by `-`, `-}` or
 * only by the next message. What stands before and between messages is passed over; fields that are not known too, and
 * never a line.
 */
export class Mt940Messages {
  readonly #emit: (part: StatementPart) => void;
  readonly #currency: string | undefined;
  #stage: Stage = 'between';
  #message: MessageHead = newMessage('');
  #statement: Mt940Statement | undefined;
  #any = false;

  /** The field that is being read. */
  #tag = '';
  #value = '';
  #below: string[] = [];
  #fieldLine = 0;
  #fieldLength = 0;
  /** A `:61:` that waits for its `:86:`. */
  #entry: { readonly value: string; readonly below: readonly string[]; readonly line: number } | undefined;
  #entryText: string | undefined;
  /** A line that is a message's beginning or text: the next one decides. */
  #held: { readonly line: string; readonly number: number } | undefined;

  #blocksInLine = 0;

  constructor(emit: (part: StatementPart) => void, currency: string | undefined) {
    this.#emit = emit;
    this.#currency = currency;
  }

  take(line: string, number: number): void {
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      if (/^:(21|25|25P|28C?|13D?|34F|60[FM]?):/.test(line)) this.#field('20', held.line.slice(4), held.number);
      else this.#continue(held.line, held.number);
    }
    switch (line.charCodeAt(0)) {
      case COLON:
        this.#fieldOrText(line, number);
        return;
      case DASH:
        if (this.#isEnd(line)) this.#endOfMessage(line, number);
        else this.#continue(line, number);
        return;
      case BRACE:
        if (/^\{1:F\d\d/.test(line) || (/^\{\d:/.test(line) && !this.#isInText())) this.#block(line, number);
        else this.#continue(line, number);
        return;
      case 0x01:
      case 0x03:
      case 0x1a:
        this.#withoutMarks(line, number);
        return;
      default:
        this.#continue(line, number);
    }
  }

  end(number: number): void {
    if (this.#held !== undefined) this.#continue(this.#held.line, this.#held.number);
    this.#close(number);
    if (!this.#any) {
      throw unreadable(
        'NoStatement',
        'there is no statement: :20:, :25: and :60F: are wanted at the beginning of a line',
        {
          line: Math.max(1, number),
          column: 1,
        },
      );
    }
  }

  /** Some transports leave their marks around a message. */
  #withoutMarks(line: string, number: number): void {
    let from = 0;
    while (line.charCodeAt(from) < 0x20) from++;
    if (from < line.length) this.take(line.slice(from), number);
  }

  #isInText(): boolean {
    return this.#stage === 'lines' && (this.#tag === '86' || this.#tag === '61');
  }

  #fieldOrText(line: string, number: number): void {
    const tag = FIELD.exec(line)?.[1];
    if (tag === undefined) {
      this.#continue(line, number);
      return;
    }
    if (this.#stage === 'lines' && !ALWAYS.has(tag)) {
      if (tag === '20' && (this.#tag === '86' || this.#tag === '61')) {
        this.#held = { line, number };
        return;
      }
      if (tag !== '20') {
        this.#continue(line, number);
        return;
      }
    }
    if (
      this.#stage === 'foot' &&
      this.#tag === '86' &&
      tag !== '20' &&
      OPENING.has(tag) &&
      /^:\d\d:\d?\d?\s/.test(line)
    ) {
      this.#continue(line, number);
      return;
    }
    this.#field(tag, line.slice(tag.length + 2), number);
  }

  #field(tag: string, value: string, number: number): void {
    this.#flush();
    this.#place(tag, number);
    this.#tag = tag;
    this.#value = value;
    this.#fieldLine = number;
    this.#fieldLength = value.length;
  }

  /** Which message and statement the field belongs to: it may begin one. */
  #place(tag: string, number: number): void {
    if (tag === '20') {
      this.#close(number);
      this.#open();
      return;
    }
    if (this.#stage === 'between') {
      if (!OPENING.has(tag) && !tag.startsWith('60') && tag !== '34F') this.#headMissing(tag, number);
      this.#open();
    }
    const isOpening = tag.startsWith('60');
    const begins = (tag === '25' || tag === '25P') && this.#stage !== 'head';
    // Several accounts in one message, or several currencies of one account.
    if (begins || (isOpening && (this.#stage === 'lines' || this.#stage === 'foot'))) {
      const { reference, account, sequence, type } = this.#message;
      this.#close(number);
      this.#message = { reference, account, sequence, type };
      this.#stage = 'head';
    }
    if (tag !== 'NS' && !(tag in HEAD_ONLY)) this.#statement ??= this.#begin(number);
    if (tag === '61') this.#stage = 'lines';
    else if (isOpening) this.#stage = 'head';
    else if (tag.startsWith('62') || tag === '64' || tag === '65' || tag.startsWith('90')) this.#stage = 'foot';
  }

  #open(): void {
    this.#any = true;
    this.#message = newMessage(this.#message.type);
    this.#stage = 'head';
  }

  #begin(number: number): Mt940Statement {
    return new Mt940Statement(this.#emit, this.#message, number, this.#currency);
  }

  #headMissing(tag: string, number: number): void {
    if (!this.#any && this.#currency !== undefined) {
      const at = { line: number, column: 1 };
      const message = 'lines stand before any head of a statement (:20:, :25:): the beginning may be missing';
      this.#emit({ part: 'problem', problem: { code: 'HeaderMissing', message, at } });
      return;
    }
    throw unreadable('HeaderMissing', `:${tag}: outside of a statement: its head (:20:, :25:) is missing`, {
      line: number,
      column: 1,
    });
  }

  /** A line that begins no field: the current one goes on. Between messages, and below what has no text, it is passed over. */
  #continue(line: string, number: number): void {
    if (this.#tag !== '86' && this.#tag !== '61') return;
    this.#fieldLength += line.length + 1;
    if (this.#fieldLength > FIELD_LENGTH_MAX) {
      throw unreadable('TextTooLong', `a field of more than ${FIELD_LENGTH_MAX} characters: this is no MT940`, {
        line: number,
        column: 1,
      });
    }
    this.#below.push(line);
  }

  /** `-` alone, `-}` with what follows it; and after the closing balance `-` with anything, as nationally coded braces are. */
  #isEnd(line: string): boolean {
    if (line.length === 1 || line.startsWith('-}') || line.trimEnd() === '-') return true;
    return this.#tag.startsWith('6') && this.#tag !== '61' && this.#stage === 'foot';
  }

  #endOfMessage(line: string, number: number): void {
    this.#close(number);
    this.#message = newMessage('');
    const block = line.indexOf('{');
    if (block !== -1) this.#block(line.slice(block), number);
  }

  /** `{1:…}{2:O940…}{4:`: the type counts, and what stands behind the brace. */
  #block(line: string, number: number): void {
    if (this.#stage !== 'between') this.#close(number);
    const type = /\{2:[IO](\d{3})/.exec(line)?.[1];
    if (type !== undefined) this.#message = newMessage(type);
    const text = line.indexOf('{4:');
    const rest = text === -1 ? '' : line.slice(text + 3);
    if (rest === '' || rest.startsWith('{')) return;
    if (++this.#blocksInLine > BLOCKS_IN_LINE_MAX) {
      throw unreadable('LineTooLong', `more than ${BLOCKS_IN_LINE_MAX} blocks in one line`, {
        line: number,
        column: 1,
      });
    }
    this.take(rest, number);
    this.#blocksInLine -= 1;
  }

  #close(number: number): void {
    this.#flush();
    this.#flushEntry();
    if (this.#stage !== 'between') (this.#statement ?? this.#begin(number)).end(number);
    this.#statement = undefined;
    this.#stage = 'between';
  }

  /** The field is whole. */
  #flush(): void {
    const tag = this.#tag;
    if (tag === '') return;
    this.#tag = '';
    const value = this.#value;
    const below = this.#below;
    this.#below = [];
    while (below.length > 0 && (below.at(-1) ?? '').trim() === '') below.pop();
    if (tag === '86') {
      this.#takeText(below.length === 0 ? value : `${value}\n${below.join('\n')}`);
      return;
    }
    // What is told between a line and its text is not the line's.
    if (tag === 'NS' || tag === '61' || this.#entry !== undefined) this.#flushEntry(tag === 'NS');
    if (tag === '61') this.#entry = { value, below, line: this.#fieldLine };
    else this.#takeValue(tag, value.trim());
  }

  #takeText(text: string): void {
    if (this.#entry === undefined || this.#stage === 'foot') this.#statement?.text(text);
    else this.#entryText = this.#entryText === undefined ? text : `${this.#entryText}\n${text}`;
  }

  #flushEntry(keep = false): void {
    const entry = this.#entry;
    if (entry === undefined || keep) return;
    this.#entry = undefined;
    const text = this.#entryText ?? '';
    this.#entryText = undefined;
    this.#statement?.line({ ...entry, text });
  }

  #takeValue(tag: string, value: string): void {
    const statement = this.#statement;
    const line = this.#fieldLine;
    switch (tag) {
      case '20':
        this.#message.reference = value;
        break;
      case '25':
      case '25P':
        this.#message.account = value;
        break;
      case '28':
      case '28C':
        this.#message.sequence = value;
        break;
      case '13D':
        (this.#statement ??= this.#begin(line)).interim();
        break;
      case '34F':
        statement?.floor(value);
        break;
      case '60':
      case '60F':
      case '60M':
        statement?.opening(tag, value, line);
        break;
      case '62':
      case '62F':
      case '62M':
        statement?.closing(tag, value, line);
        break;
      case '64':
      case '65':
        statement?.other(tag, value, line);
        break;
      case '90C':
      case '90D':
        statement?.totals(tag, value, line);
        break;
      default:
    }
  }
}

/** These say of what the next statement is, and begin none. */
const HEAD_ONLY = { '20': 1, '21': 1, '25': 1, '25P': 1, '28': 1, '28C': 1, '13': 1 };

const COLON = 0x3a;
const DASH = 0x2d;
const BRACE = 0x7b;

function newMessage(type: string): MessageHead {
  return { reference: '', account: '', sequence: '', type };
}
