// Chromium, driven as a reader would use it. Every page that is opened here is watched: anything on
// the console, any error and any request that leaves the site fails the check.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CHROMIUM = process.env.SYNCMON_TEST_CHROMIUM ?? "/usr/bin/chromium";
const MODULES =
  process.env.SYNCMON_TEST_NODE_MODULES ?? join(dirname(fileURLToPath(import.meta.url)), "node_modules");

if (!existsSync(CHROMIUM)) stop(`${CHROMIUM} is missing: apt-get install chromium, or run ./tests/run`);
if (!existsSync(join(MODULES, "playwright-core")))
  stop(`playwright-core is not in ${MODULES}: run "npm ci" in tests/browser, or run ./tests/run`);
const { chromium } = createRequire(import.meta.url)(join(MODULES, "playwright-core"));

function stop(why) {
  console.error(why);
  process.exit(1);
}

/** The moment at which the worlds of tests/it/browser.rs are built. */
export const T = Date.parse("2026-11-22T20:05:00Z");
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A moment of that day, "HH:MM:SS" in UTC. */
export const at = (time) => Date.parse(`2026-11-22T${time}Z`);

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Runs `checks(browser)` and ends the process with what they came to. */
export async function run(checks) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  try {
    await checks(browser);
  } catch (error) {
    console.error(error.stack);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

/**
 * Opens `url` in a browser of its own whose clock stands still at `clock`, hands the page to `look`,
 * and insists afterwards that nothing went wrong on it. It may go on to other sites only `also`.
 */
export async function visit(browser, url, { clock = T, also = [], ...options }, look) {
  const context = await browser.newContext({
    httpCredentials: { username: "cfo", password: "long random password" },
    ...options,
  });
  const page = await context.newPage();
  const wrong = [];
  const sites = [url, ...also].map((address) =>
    address.startsWith("file:") ? address.replace(/\/site\/.*/, "/site/") : new URL("/", address).href,
  );
  page.on("console", (message) => wrong.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!sites.some((site) => request.url().startsWith(site))) wrong.push(`request to ${request.url()}`);
  });
  page.on("requestfailed", (request) => {
    // Whoever goes on to another page does not wait for the icon of this one.
    const { errorText } = request.failure();
    if (errorText !== "net::ERR_ABORTED") wrong.push(`${errorText} from ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} from ${response.url()}`);
  });
  if (options.javaScriptEnabled !== false) {
    await page.clock.install({ time: clock - SECOND });
    await page.clock.pauseAt(clock);
  }
  await page.goto(url);
  await look(page);
  await context.close();
  assert.deepEqual(wrong, [], url);
}

/** Lets the page live until a moment; its last two seconds timer by timer. */
export async function wait(page, moment) {
  const ahead = moment - (await page.evaluate(() => Date.now()));
  if (ahead > 2 * SECOND) await page.clock.fastForward(ahead - 2 * SECOND);
  if (ahead > 0) await page.clock.runFor(Math.min(ahead, 2 * SECOND));
}

/** Sets the reader's clock without any timer noticing, as when a laptop sleeps. */
export async function sleep(page, moment) {
  await page.clock.setSystemTime(moment);
}

/** What a reader sees: colours as painted, texts as shown. */
export async function seen(page) {
  return page.evaluate(() => {
    const shown = (element) => (element && element.checkVisibility() ? element.innerText.trim().replace(/\s+/g, " ") : "");
    const colour = (element) => element && getComputedStyle(element).color;
    const health = (element) => {
      const icon = element.querySelector(".icon");
      const sample = document.createElement("i");
      document.body.append(sample);
      const known = ["green", "yellow", "red", "grey"].filter((name) => {
        sample.style.setProperty("color", `var(--${name})`);
        return colour(sample) === colour(icon);
      });
      sample.remove();
      const symbol = icon.querySelector("use").getAttribute("href").slice(1);
      return known.includes(symbol) ? symbol : `${symbol} painted ${known}`;
    };
    const rows = {};
    for (const row of document.querySelectorAll("tbody[data-entity]"))
      rows[shown(row.querySelector(".name"))] = {
        health: health(row),
        word: shown(row.querySelector(".word")),
        age: shown(row.querySelector(".age")),
        detail: shown(row.querySelector(".detail")),
      };
    const verdict = document.querySelector(".verdict");
    return {
      verdict: { health: health(verdict), text: shown(verdict.querySelector("h1")) },
      detail: shown(verdict.querySelector(".detail")),
      ages: [...document.querySelectorAll(".facts .age")].map(shown),
      message: shown(document.querySelector(".stale")),
      title: document.title,
      icon: document.querySelector("link[rel=icon]").getAttribute("href").match(/(\w+)\.svg/)[1],
      rows,
    };
  });
}

export { assert };
