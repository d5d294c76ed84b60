import {
  deviceSubprotocol,
  subprotocol,
  tokenSubprotocol,
  type ClientMessage,
  type ServerMessage,
} from './protocol.ts';

/** How a connection ended. */
export interface Ending {
  /** It was let in: the door has said hello. */
  readonly letIn: boolean;
  /** 1006 where nobody said why. */
  readonly code: number;
  readonly reason: string;
}

export interface ConnectionTimes {
  /** The door must have said hello by then. */
  readonly helloMs: number;
  /** After so long a silence the door is asked whether it is still there. */
  readonly quietMs: number;
  /** And has so long to answer. A connection that is gone without a word is noticed by that. */
  readonly pongMs: number;
}
export const defaultTimes: ConnectionTimes = { helloMs: 10_000, quietMs: 20_000, pongMs: 10_000 };

/** Who connects. */
export interface Pass {
  readonly token: string;
  /** That the token is bound to; undefined for services. */
  readonly deviceId: string | undefined;
}

/** One WebSocket, from its opening to its end. */
export class Connection {
  /** Never rejects. After it nothing more is received. */
  readonly ended: Promise<Ending>;
  readonly #socket: WebSocket;
  readonly #times: ConnectionTimes;
  readonly #received: (message: ServerMessage) => void;
  #end: (ending: Ending) => void = () => undefined;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #letIn = false;
  #over = false;

  /** @param received is called with each message, in order, the hello first */
  constructor(
    url: string,
    { token, deviceId }: Pass,
    received: (message: ServerMessage) => void,
    times = defaultTimes,
  ) {
    this.#times = times;
    this.#received = received;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    // Browsers' WebSockets cannot set headers: token and device go as subprotocols.
    const device = deviceId === undefined ? [] : [deviceSubprotocol + deviceId];
    this.#socket = new WebSocket(url, [subprotocol, tokenSubprotocol + token, ...device]);
    this.#socket.onmessage = ({ data }: { readonly data: unknown }) => this.#message(data);
    this.#socket.onclose = ({ code, reason }) => this.#finish(code, reason);
    // 'close' comes after it and says more; but not in Node 22 where the door did not take the connection at all.
    this.#socket.onerror = () => {
      if (!this.#letIn) this.#finish(1006, 'not let in');
    };
    this.#await(times.helloMs, () => this.#drop('the stream door says nothing'));
  }

  send(message: ClientMessage): void {
    if (!this.#over && this.#letIn) this.#socket.send(JSON.stringify(message));
  }

  /** Says goodbye. Nothing more is received. */
  close(): void {
    this.#drop('closed by the client');
  }

  #message(data: unknown): void {
    if (this.#over) return;
    const message = typeof data === 'string' ? parsed(data) : undefined;
    if (message === undefined) {
      this.#drop('that is not Kora');
      return;
    }
    if (message.hello !== undefined) this.#letIn = true;
    const { quietMs, pongMs } = this.#times;
    this.#await(quietMs, () => {
      this.send({ ping: 1 });
      this.#await(pongMs, () => this.#drop('the stream door has fallen silent'));
    });
    this.#received(message);
  }

  #await(ms: number, otherwise: () => void): void {
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(otherwise, ms);
  }

  /** Does not wait for the other side, which may be gone: closing in good order can take a minute then. */
  #drop(reason: string): void {
    if (this.#over) return;
    this.#socket.close(1000);
    this.#finish(1006, reason);
  }

  #finish(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#alarm);
    this.#end({ letIn: this.#letIn, code, reason });
  }
}

function parsed(text: string): ServerMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}
