// Lighthouse gives 100 of 100: node lighthouse.mjs RUNS_JSON
//
// RUNS_JSON is a list of {url, form}: a page behind the real server, and "mobile" or "desktop". Prints
// what each came to. Not its score for search engines: the pages ask to be left out of them.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { between } from "./between.mjs";
import { ARGUMENTS, CHROMIUM, assert, installed } from "./browser.mjs";

const { default: lighthouse, desktopConfig } = await import(pathToFileURL(installed("lighthouse/core/index.js")).href);
const CATEGORIES = ["performance", "accessibility", "best-practices"];

for (const { url, form } of JSON.parse(process.argv[2])) {
  const { pathname } = new URL(url);
  const { categories, audits, runtimeError } = await measured(url, form);
  assert.equal(runtimeError, undefined, `${pathname}, ${form}`);
  const scores = CATEGORIES.map((category) => Math.round(100 * categories[category].score));
  const what = `${pathname} on ${form}`;
  console.log(`${what}: ${CATEGORIES.map((category, index) => `${category} ${scores[index]}`).join(", ")}`);
  const lost = CATEGORIES.flatMap((category) => categories[category].auditRefs)
    .filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 1)
    .map(({ id }) => `${id} ${audits[id].score} ${audits[id].displayValue ?? ""}`);
  assert.deepEqual(scores, [100, 100, 100], `${what} loses by ${lost.join("; ")}`);
}

function isPerfect({ runtimeError, categories }) {
  return !runtimeError && CATEGORIES.every((name) => categories[name].score === 1);
}

/**
 * What Lighthouse finds, at the best of three times: whatever else the machine does while it looks
 * makes a page slower and never faster.
 */
async function measured(url, form) {
  const { pathname } = new URL(url);
  const way = await between(url);
  let report;
  for (let attempt = 0; attempt < 3 && !(report && isPerfect(report)); attempt += 1) {
    const browser = await chromium();
    const flags = { port: browser.port, onlyCategories: CATEGORIES, logLevel: "silent" };
    const config = form === "desktop" ? desktopConfig : undefined;
    ({ lhr: report } = await lighthouse(new URL(pathname, way.url).href, flags, config));
    await browser.end();
  }
  way.end();
  return report;
}

/** A browser that nobody else drives: Lighthouse does it by itself, through a port. */
async function chromium() {
  const profile = mkdtempSync(join(tmpdir(), "syncmon-lighthouse-"));
  const options = [...ARGUMENTS, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
  const process = spawn(CHROMIUM, options, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((end) => process.on("exit", end));
  const port = await new Promise((known, failed) => {
    let said = "";
    process.stderr.on("data", (text) => {
      said += text;
      const [, number] = said.match(/DevTools listening on ws:\/\/[^:]*:(\d+)/) ?? [];
      if (number) known(Number(number));
    });
    ended.then(() => failed(new Error(`the browser has ended: ${said}`)));
  });
  const end = async () => {
    process.kill();
    await ended;
    await removed(profile);
  };
  return { port, end };
}

/** The browser's own children outlive it by a moment, and write into its folder until then. */
async function removed(folder) {
  for (let patience = 100; ; patience -= 1) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (patience === 0) throw error;
      await new Promise((wait) => setTimeout(wait, 100));
    }
  }
}
