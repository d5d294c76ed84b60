/**
 * What the stream door needs of a WebSocket server. Small, so that two implementations stand behind it (`uws`, `ws`) and
 * pass the same tests.
 */
export interface Connection {
  /** Bytes that were taken for the client and that its side has not made room for yet. */
  readonly bufferedBytes: number;
  /**
   * Sends texts in order, in as few writes as possible.
   *
   * @returns how many it took. Fewer than given: so much was waiting that it took no more, and the connection is lost.
   */
  send(texts: readonly Uint8Array[]): number;
  /** Sends what was taken, then a close frame (reason up to 123 bytes); `closed` is called before this returns. */
  close(code: number, reason: string): void;
}

/** What the door does when something happens on a connection. */
export interface ConnectionHandlers {
  /** The bytes are only valid during the call. */
  message(bytes: Buffer, isBinary: boolean): void;
  /** A ping or a pong of the protocol came; it was answered already. */
  control(): void;
  /** `bufferedBytes` went down. */
  drained(): void;
  /** Once, for whatever reason. The connection must not be used any more. */
  closed(): void;
}

/** What a client says when it wants to connect; a header that is not there is empty. Holds its token: never log it. */
export interface ConnectRequest {
  readonly authorization: string;
  /** `Sec-WebSocket-Protocol` */
  readonly protocols: string;
  /** `Origin`: browsers always send it. */
  readonly origin: string;
  /** `Kora-Device` */
  readonly device: string;
  /** The IP address at the other end of the socket. */
  readonly address: string;
  /** `X-Forwarded-For`: what anybody may have written, unless a proxy of ours is at the other end. */
  readonly forwardedFor: string;
}

export type Admission =
  | {
      readonly ok: true;
      /** Subprotocol to answer with; empty for none. */
      readonly protocol: string;
      /** Either this is called or `abandoned`, and once. */
      open(connection: Connection): ConnectionHandlers;
      /** It did not come to a connection: the client went, or what it sent was no handshake. */
      abandoned(): void;
    }
  | {
      readonly ok: false;
      /** HTTP's, with its words: `401 Unauthorized`. */
      readonly status: string;
      readonly body: object;
    };

export interface TransportOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly path: string;
  /** A larger message ends the connection: the last line behind the door's own check. */
  readonly messageBytesMax: number;
  /** When more is waiting for a client, nothing more is taken for it: the last line behind the door's own check. */
  readonly bufferedBytesMax: number;
  /** Pings are sent in time; who does not answer, take or send anything for this long is cut off. */
  readonly idleTimeoutMs: number;
  /** Must not reject. */
  admit(request: ConnectRequest): Promise<Admission>;
}

export interface Transport {
  readonly port: number;
  /** Takes no more connections. Those that are open stay. */
  stopListening(): void;
  /** Cuts off what is still open. */
  close(): void;
}

/** The answer to a request that is for no stream. */
export const notHere = (path: string): Admission & { ok: false } => ({
  ok: false,
  status: '404 Not Found',
  body: { code: 'NotFound', message: `the stream is at ${path}` },
});
