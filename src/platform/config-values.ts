import { isIP } from 'node:net';

/** What settings may be: each takes a text, and throws a sentence that follows "KORA_…: ". */

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
  return (text) => {
    const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw new Error(`an integer ${range} is wanted, not ${JSON.stringify(text)}`);
    return value;
  };
}

/** A number, or a word in place of one. */
export function integerOr<Word extends string>(word: Word, min: number, max: number): (text: string) => number | Word {
  const number = integer(min, max);
  return (text) => {
    if (text === word) return word;
    try {
      return number(text);
    } catch (error) {
      throw new Error(`${word}, or ${(error as Error).message}`);
    }
  };
}

export function ratio(text: string): number {
  const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : NaN;
  if (!(value >= 0 && value <= 1)) throw new Error(`a number from 0 to 1 is wanted, not ${JSON.stringify(text)}`);
  return value;
}

export function oneOf<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new Error(`one of ${choices.join(', ')} is wanted, not ${JSON.stringify(text)}`);
    return found;
  };
}

/** As browsers write them, which is without a path, and without a port where it is the usual one. */
export function origins(text: string): readonly string[] {
  return text.split(',').map((part) => {
    const origin = part.trim();
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== origin.toLowerCase()) {
      throw new Error(`origins are wanted, as https://app.example, not ${JSON.stringify(origin)}`);
    }
    return url.origin;
  });
}

/** https, or this very machine: keys that come over an open line are anybody's. */
export function issuerUrl(text: string): string {
  const { protocol, hostname, search, hash } = URL.canParse(text) ? new URL(text) : new URL('none:');
  const here = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  if ((protocol !== 'https:' && !(protocol === 'http:' && here)) || search !== '' || hash !== '') {
    throw new Error(`a URL with https is wanted, as https://login.example, not ${JSON.stringify(text)}`);
  }
  return text;
}

export function pairs(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [name = '', value = '', ...rest] = part.trim().split('=');
      if (name === '' || value === '' || rest.length > 0) {
        throw new Error(`pairs are wanted, as one=other,third=fourth, not ${JSON.stringify(part)}`);
      }
      return [name, value];
    }),
  );
}

/** Does not say the value again: a key may be in it. */
export function otlpUrl(text: string): string {
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: '' };
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error('a URL is wanted, as http://127.0.0.1:4318');
  return text;
}

/** A server of HTTP. Does not say the value again: somebody may have put a password in it. */
export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new Error('a URL without a user is wanted, as https://host:port');
  }
  return text;
}

// Does not say the value again: it may hold a password, and errors are logged.
export function databaseUrl(text: string): string {
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: '' };
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new Error('a URL is wanted, as postgresql://user:password@host:5432/database');
  }
  return text;
}

/** `kurrentdb://…` as the vendor's client takes it: several hosts with commas are no URL to others. It may hold a password. */
export function eventstoreUrl(text: string): string {
  if (/^postgres(ql)?:/.test(text)) {
    throw new Error(
      'for a log in PostgreSQL leave it out: it is in the database of DATABASE_URL, or in the embedded one',
    );
  }
  if (
    !/^kurrentdb(\+discover)?:\/\/([^\s@/]*@)?[^\s@/?,:]+(:[0-9]{1,5})?(,[^\s@/?,:]+(:[0-9]{1,5})?)*\/?(\?\S*)?$/.test(
      text,
    )
  ) {
    throw new Error('a URL is wanted, as kurrentdb://user:password@host:2113?tls=true');
  }
  return text;
}

// May hold a password as well.
export function redisUrl(text: string): string {
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: '' };
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw new Error('a URL is wanted, as redis://host:6379');
  return text;
}

/** A host as URLs have it (IPv6 in brackets), and a port. */
export function hostAndPort(text: string): string {
  const [, host = '', port = ''] = /^([^\s/@?#]+):([0-9]{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535 || !URL.canParse(`http://${text}`)) {
    throw new Error(`a host and a port are wanted, as kora-1.internal:7403, not ${JSON.stringify(text)}`);
  }
  return text;
}

export function networks(text: string): readonly string[] {
  return text.split(',').map((part) => {
    const network = part.trim();
    const [address = '', bits] = network.split('/');
    const bitsMax = isIP(address) === 4 ? 32 : 128;
    if (isIP(address) === 0 || (bits !== undefined && !(/^[0-9]{1,3}$/.test(bits) && Number(bits) <= bitsMax))) {
      throw new Error(`addresses or networks are wanted, such as 10.0.0.0/8, not ${JSON.stringify(network)}`);
    }
    return network;
  });
}
