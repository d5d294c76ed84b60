/**
 * Cuts secrets and what is personal out of what is logged. Twice: by the names of fields, at any depth and in errors, before
 * a line is written; and by how things look, in the line as a whole, for what stands in the middle of a sentence. Who logs
 * logs neither; this is for the day on which somebody does, or a library says more than it should.
 */

const CUT = '[cut]';

/** Names of fields, as small letters and digits alone. At the end of a longer name too: `refreshToken`, `KORA_SERVICE_KEY`. */
const nameEnds = [
  'authorization',
  'cookie',
  'password',
  'passwd',
  'passphrase',
  'token',
  'secret',
  'credential',
  'signature',
  'hmac',
  'key',
  'keysaccepted',
  'databaseurl',
  'eventstoreurl',
  'redisurl',
  'connectionstring',
  'phone',
  'phonenumber',
  'telephone',
  'msisdn',
  'email',
  'emailaddress',
  'iban',
  'accountname',
  'accountholder',
  'holdername',
  'beneficiary',
  'beneficiaryname',
  'fullname',
  'firstname',
  'lastname',
  'birthdate',
  'cardnumber',
];
/** Too short, or too common an end, to be more than the whole name. */
const wholeNames = ['login', 'otp', 'pin', 'pan', 'mobile', 'pwd', 'ip', 'remoteaddress'];
const secretName = new RegExp(`(?:(?:${nameEnds.join('|')})s?|^(?:${wholeNames.join('|')}))$`);

function isSecret(name: string): boolean {
  return secretName.test(name.toLowerCase().replace(/[^a-z0-9]/g, ''));
}

/** What nobody reads in a line. */
const depthMax = 8;

/** The fields of a line, without what their names say is secret, and errors as what is logged of them. */
export function redacted(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return cutFields(Object.entries(fields), 0);
}

function cutFields(entries: Iterable<readonly [unknown, unknown]>, depth: number): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    const name = String(key);
    kept[name] = value !== undefined && value !== null && isSecret(name) ? CUT : cut(value, depth + 1);
  }
  return kept;
}

function cut(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorFields(value, depth);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  // A circle ends here as well.
  if (depth > depthMax) return '[deeper]';
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return cut((toJSON as () => unknown).call(value), depth + 1);
  if (Array.isArray(value)) return cutList(value, depth);
  if (value instanceof Map || value instanceof Headers) return cutFields(value.entries(), depth);
  if (value instanceof Set) return cutList([...value], depth);
  return cutFields(Object.entries(value), depth);
}

/** Lists are headers, too: name, value, name, value. */
function cutList(list: readonly unknown[], depth: number): unknown[] {
  return list.map((item, index) => {
    const before = list[index - 1];
    return typeof before === 'string' && isSecret(before) ? CUT : cut(item, depth + 1);
  });
}

/** What of an error is logged: never the query's values or the request, which drivers like to attach. */
function errorFields(error: Error, depth: number): object {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const errors = error instanceof AggregateError ? (error.errors as readonly unknown[]) : undefined;
  const further = depth < depthMax;
  return {
    name,
    message,
    ...(typeof code === 'string' && { code }),
    stack,
    ...(further && cause !== undefined && { cause: causeFields(cause, depth) }),
    ...(further && errors !== undefined && { errors: errors.map((one) => causeFields(one, depth)) }),
  };
}

function causeFields(cause: unknown, depth: number): unknown {
  return cause instanceof Error ? errorFields(cause, depth + 1) : { message: String(cause) };
}

const names =
  '(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|authorization|cookie|signature|hmac|login|msisdn|phone|e?mail|' +
  'iban|otp|pin|(?:account|holder|beneficiary|full|first|last)[_-]?name)s?';
const named = String.raw`\b([\w-]{0,40}?${names})`;

/**
 * How things look, by what must be in a line at all: most lines have nothing of it, and are looked through once. No pattern
 * takes a quotation mark that is not escaped: the line stays JSON.
 */
const looks: readonly { readonly hint: string | RegExp; readonly cuts: readonly (readonly [RegExp, string])[] }[] = [
  // postgresql://user:password@host
  { hint: '://', cuts: [[/([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:"\\]*:[^\s/"\\?#]*@/gi, `$1${CUT}@`]] },
  { hint: /bearer|basic/i, cuts: [[/\b(Bearer|Basic) +[\w.~+/=-]{6,}/gi, `$1 ${CUT}`]] },
  // A token, without a word before it.
  { hint: 'eyJ', cuts: [[/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, CUT]] },
  { hint: 'PRIVATE KEY', cuts: [[/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^"\\]|\\[^"])*/g, CUT]] },
  {
    hint: new RegExp(`${names}['\\\\]* ?(?:[=:]|"\\s*:|%3D)`, 'i'),
    cuts: [
      // password=… of query strings and connection strings, with or without quotes
      [new RegExp(String.raw`${named} ?(=|%3D) ?(?:'[^'"\\]*'|[^\s"\\&,;)}\]]+)`, 'gi'), `$1$2${CUT}`],
      // {"password":"…"}, within a text
      [new RegExp(String.raw`${named}(\\+"\s*:\s*\\+")[^"\\]*`, 'gi'), `$1$2${CUT}`],
      // { password: '…' }, as Node shows it
      [new RegExp(String.raw`${named}('?:\s*)'[^'"\\]*'`, 'gi'), `$1$2${CUT}`],
    ],
  },
  // Somebody's e-mail; not the user and host of an address.
  {
    hint: /@|%40/,
    cuts: [[/(?<!:\/\/)(?<![\w.%+-])[\w.%+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})*\.[a-z]{2,24}\b/gi, CUT]],
  },
  // An international number of a telephone.
  { hint: /(?:\+|%2B|\b00)[1-9]/, cuts: [[/(?<![\w+.])(?:\+|%2B|\b00(?=[1-9]))[1-9](?:[ .-]?\d){7,14}(?!\w)/g, CUT]] },
  // An IBAN, in one or in groups of four.
  { hint: /\b[A-Z]{2}\d{2}/, cuts: [[/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b/g, CUT]] },
];

/** A line, or any text, without what looks like a secret or somebody's address or number. */
export function scrubbed(line: string): string {
  let text = line;
  for (const { hint, cuts } of looks) {
    if (typeof hint === 'string' ? !text.includes(hint) : !hint.test(text)) continue;
    for (const [look, instead] of cuts) text = text.replace(look, instead);
  }
  return text;
}
