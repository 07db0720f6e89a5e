// Through every page of every world: what the checks of the pages have in common.

import { run, visit } from "./browser.mjs";

/** Says on the console what is wrong, page by page, and lets the check fail. */
export class Findings {
  #found = new Map();

  /** `what` is wrong on `page`. */
  add(page, what) {
    this.#found.set(what, [...(this.#found.get(what) ?? []), page]);
  }

  throwAny() {
    if (this.#found.size === 0) return;
    const lines = [...this.#found].map(([what, pages]) => {
      const others = pages.length > 3 ? ` and on ${pages.length - 3} more` : "";
      return `${what}\n    on ${pages.slice(0, 3).join(", ")}${others}`;
    });
    throw new Error(`${this.#found.size} findings\n${lines.join("\n")}`);
  }
}

/**
 * Opens every page of the worlds given on the command line, and hands it to `look(page, findings, {name, world,
 * path})`. Its `readers` (options of a browser, with a `name`) take the worlds in turns; in the whole run each
 * takes all of them.
 */
export function tour(readers, look) {
  const worlds = JSON.parse(process.argv[2]);
  run(async (browser) => {
    const findings = new Findings();
    for (const [turn, { name: reader, ...options }] of readers.entries()) {
      const taken = worlds.filter((_, number) => process.env.SYNCMON_TEST_FULL || number % readers.length === turn);
      const [first] = taken;
      if (!first) continue;
      const also = taken.map(({ site }) => site);
      await visit(browser, first.site + first.pages[0], { timers: true, clock: Date.parse(first.at), also, ...options }, async (page) => {
        for (const world of taken) {
          await page.clock.setFixedTime(Date.parse(world.at));
          for (const path of world.pages) {
            if (page.url() !== world.site + path) await page.goto(world.site + path);
            const name = `${world.name}: ${path}, ${reader}`;
            await look(page, (what) => findings.add(name, what), { name, world, path });
          }
        }
      });
    }
    findings.throwAny();
  });
}

/** Whether the campaign of this name is run whole. */
export const isWhole = (name) => (process.env.SYNCMON_TEST_FULL ?? "").split(",").some((one) => one === name || one === "all");

export const LIGHT = { name: "light", colorScheme: "light", viewport: { width: 1000, height: 900 } };
export const DARK = { name: "dark", colorScheme: "dark", viewport: { width: 1000, height: 900 } };
export const NARROW = { name: "320 px", colorScheme: "light", viewport: { width: 320, height: 700 } };
export const NARROW_DARK = { name: "320 px dark", colorScheme: "dark", viewport: { width: 320, height: 700 } };
