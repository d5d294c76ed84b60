import { deviceOfThisBrowser, granted, Kora, webStore } from '../../../sdk/index.ts';
import { newLogin, password, scenarios, type Controls, type ScenarioName, type Setting } from './scenarios.ts';

declare global {
  interface Window {
    /** Put there by the test: what only the test's process can do. */
    control(name: keyof Controls, args: unknown[]): Promise<never>;
    runScenario(name: ScenarioName | keyof typeof inBrowsers, setting: Setting): Promise<unknown>;
  }
}

const controls = new Proxy({} as Controls, {
  get:
    (_, name: keyof Controls) =>
    (...args: unknown[]) =>
      window.control(name, args),
});

/** The user of this browser, as an app would have them. */
const user = (setting: Setting): Kora =>
  new Kora({ ...setting, device: deviceOfThisBrowser(), sessionStore: webStore(localStorage) });

/** What only a browser can do: being closed and opened again. */
export const inBrowsers = {
  async signUpAndStay(setting: Setting) {
    const kora = user(setting);
    granted(await kora.identity.signUp({ login: newLogin(), password }));
    const device = await kora.identity.device();
    // The private key is not to be had, also not by scripts of this page.
    const stolen = await crypto.subtle.exportKey('pkcs8', device.privateKey).then(
      () => 'stolen',
      () => 'safe',
    );
    return { deviceId: device.id, stolen };
  },

  async comeBack(setting: Setting) {
    const kora = user(setting);
    const device = await kora.identity.device();
    const me = await kora.identity.me();
    // Proves that the key is still there: this is signed.
    const changed = await kora.identity.changePassword({ current: password, next: `${password} and more` });
    return { deviceId: device.id, me: me.ok, changed: changed.ok };
  },
  /** On a device whose clock is an hour fast. */
  async wrongClock(setting: Setting) {
    const Right = Date;
    const ahead = 3_600_000;
    class Wrong extends Right {
      constructor(...given: [] | [number | string]) {
        super(given[0] ?? Right.now() + ahead);
      }
      static override now(): number {
        return Right.now() + ahead;
      }
    }
    globalThis.Date = Wrong as DateConstructor;
    try {
      const kora = new Kora(setting);
      granted(await kora.identity.signUp({ login: newLogin(), password }));
      await controls.requests('');
      const changed = await kora.identity.changePassword({ current: password, next: `${password} and more` });
      granted(await kora.identity.me());
      return { changed: changed.ok, refreshes: await controls.requests('POST /v1/identity/refresh') };
    } finally {
      globalThis.Date = Right;
    }
  },
} as const;

window.runScenario = (name, setting) =>
  name in inBrowsers
    ? inBrowsers[name as keyof typeof inBrowsers](setting)
    : scenarios[name as ScenarioName](setting, controls);
