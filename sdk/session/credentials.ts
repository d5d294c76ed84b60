import type { Device } from './device.ts';

/** Who calls: what every call and every socket asks before it is sent. */
export interface Credentials {
  /**
   * The access token to send; undefined where nobody is logged in.
   *
   * @param leftMs one that ends sooner is renewed first. Default 30 s: it must live until it has arrived.
   * @throws KoraFault when renewing it got no answer
   */
  token(leftMs?: number): Promise<string | undefined>;
  /**
   * The door did not take this token: another one, or undefined where none can be had.
   *
   * @param why `reason` of the refusal
   * @throws KoraFault when renewing it got no answer
   */
  instead(refused: string, why: string): Promise<string | undefined>;
  /** What signs sensitive commands; undefined for services, that need not. */
  device(): Promise<Device | undefined>;
  /** The time, as Kora would say it: what is signed bears it. */
  now(): Promise<Date>;
}

/** A service's token, or where it gets one: asked for at every call, so it should remember. */
export type ServiceToken = string | (() => string | Promise<string>);

/** Credentials of a service. */
export function serviceCredentials(token: ServiceToken): Credentials {
  const current = async (): Promise<string> => (typeof token === 'string' ? token : await token());
  return {
    token: current,
    async instead(refused) {
      const next = await current();
      return next === refused ? undefined : next;
    },
    device: () => Promise.resolve(undefined),
    now: () => Promise.resolve(new Date()),
  };
}
