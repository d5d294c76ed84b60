import { deviceOfThisBrowser, granted, Kora, webStore } from '../../../sdk/index.ts';
import { password, scenarios, type Controls, type ScenarioName, type Setting } from './scenarios.ts';

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
    granted(await kora.identity.signUp({ login: `b${Math.random().toString(36).slice(2)}@example.com`, password }));
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
} as const;

window.runScenario = (name, setting) =>
  name in inBrowsers
    ? inBrowsers[name as keyof typeof inBrowsers](setting)
    : scenarios[name as ScenarioName](setting, controls);
