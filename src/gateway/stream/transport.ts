/**
 * What the stream door needs of a WebSocket server. Small, so that a second implementation can stand beside the first
 * and pass the same tests.
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
  message(bytes: ArrayBuffer, isBinary: boolean): void;
  /** `bufferedBytes` went down. */
  drained(): void;
  /** Once, for whatever reason. The connection must not be used any more. */
  closed(): void;
}

/** What a client says when it wants to connect. Holds its token: never log it. */
export interface ConnectRequest {
  readonly authorization: string;
  /** `?token=` */
  readonly token: string | undefined;
  /** `Sec-WebSocket-Protocol` */
  readonly protocols: string;
}

export type Admission =
  | {
      readonly ok: true;
      /** Subprotocol to answer with; empty for none. */
      readonly protocol: string;
      open(connection: Connection): ConnectionHandlers;
    }
  | { readonly ok: false; readonly status: string; readonly body: object };

export interface TransportOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly path: string;
  /** A larger message is cut off without a word: the last line behind the door's own check. */
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
