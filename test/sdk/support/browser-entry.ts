import { scenarios, type Controls, type ScenarioName, type Setting } from './scenarios.ts';

declare global {
  interface Window {
    /** Put there by the test: what only the test's process can do. */
    control(name: keyof Controls, args: unknown[]): Promise<never>;
    runScenario(name: ScenarioName, setting: Setting): Promise<unknown>;
  }
}

const controls = new Proxy({} as Controls, {
  get:
    (_, name: keyof Controls) =>
    (...args: unknown[]) =>
      window.control(name, args),
});

window.runScenario = (name, setting) => scenarios[name](setting, controls);
