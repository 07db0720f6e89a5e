// Chromium and Firefox, driven as a reader would use them. Every page that is opened here is watched: anything
// on the console, any error and any request that leaves the site fails the check.

import assert from "node:assert/strict";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const CHROMIUM = process.env.SYNCMON_TEST_CHROMIUM ?? "/usr/bin/chromium";
const FIREFOX = process.env.SYNCMON_TEST_FIREFOX ?? "/usr/bin/firefox-esr";
const MODULES =
  process.env.SYNCMON_TEST_NODE_MODULES ?? join(dirname(fileURLToPath(import.meta.url)), "node_modules");

const driver = createRequire(import.meta.url)(installed("playwright-core"));

/** Where a package or a file of it lies. */
export function installed(path) {
  const found = join(MODULES, path);
  if (!existsSync(found)) stop(`${path} is not in ${MODULES}: run "npm ci" in tests/browser, or run ./tests/run`);
  return found;
}

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

export const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How each browser is started. The channel is that of Firefox as Mozilla and Debian ship it. */
export const BROWSERS = {
  chromium: { executablePath: CHROMIUM, args: ARGUMENTS },
  firefox: { executablePath: FIREFOX, channel: "moz-firefox" },
};

/** Those that are open for every check of a run of the tests (see serve.mjs): address by name. */
const shared = JSON.parse(process.env.SYNCMON_TEST_BROWSERS || "{}");

/** What plays the part of a browser: its name and what drives it. */
export function kind(name) {
  const { executablePath } = BROWSERS[name];
  if (!existsSync(executablePath)) stop(`${executablePath} is missing: run ./tests/run, which installs it`);
  return driver[name];
}

const opened = {};

/** A browser, opened when it is first asked for. */
async function browserCalled(name) {
  opened[name] ??= shared[name] ? kind(name).connect(shared[name]) : kind(name).launch(BROWSERS[name]);
  return opened[name];
}

/** The file that the clock of the web server is read from, if a check has a server. */
let serverClock;

/** From now on the clock of this server goes with that of the reader. */
export const serverWithClock = (file) => (serverClock = file);

/** Sets the clock of the web server alone. It stands still there. */
export function setServer(moment) {
  if (!serverClock) return;
  const text = new Date(moment).toISOString().replace("T", " ").slice(0, 19);
  writeFileSync(`${serverClock}.new`, text);
  renameSync(`${serverClock}.new`, serverClock);
}

/** Runs `checks(browser)` in Chromium and ends the process with what they came to. */
export const run = (checks) => runIn(["chromium"], checks);

/** The same in Chromium and then in Firefox: what a page does, where `run` is about how it is drawn. */
export const runInBoth = (checks) => runIn(["chromium", "firefox"], checks);

async function runIn(names, checks) {
  for (const name of names) {
    try {
      await checks(await browserCalled(name), name);
    } catch (error) {
      console.error(`in ${name}: ${error.stack}`);
      process.exitCode = 1;
      break;
    }
  }
  for (const browser of Object.values(opened)) await (await browser).close();
}

/**
 * Opens `url` in a browser of its own whose clock stands still at `clock`, hands the page to `look`,
 * and insists afterwards that nothing went wrong on it but what is `forgiven`. It may go on to other
 * sites only `also`. The clock of the web server stands at `server`. With `timers` only the time of day
 * stands still: what waits for a moment to pass gets on. `first` runs in each page before its own script.
 * Without its script a page is what the program wrote, and is read in Chromium: the driver cannot switch
 * scripts off in Firefox.
 */
export async function visit(
  browser,
  url,
  { clock = T, server = clock, also = [], forgiven = /^$/, timers = false, first, ...options },
  look,
) {
  setServer(server);
  const scripted = options.javaScriptEnabled !== false;
  const context = await (scripted ? browser : await browserCalled("chromium")).newContext({
    // The driver's own way of giving a password switches the browser's cache off.
    extraHTTPHeaders: { Authorization: `Basic ${btoa("cfo:long random password")}` },
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
    if (!/ABORTED/.test(errorText)) wrong.push(`${errorText} from ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} from ${response.url()}`);
  });
  if (timers) {
    await page.clock.setFixedTime(clock);
  } else if (scripted) {
    await page.clock.install({ time: clock - SECOND });
    await page.clock.pauseAt(clock);
    await page.addInitScript(countQuestions);
  }
  if (first) await page.addInitScript(first);
  await page.goto(url);
  await look(page);
  await context.close();
  assert.deepEqual(
    wrong.filter((what) => !forgiven.test(what)),
    [],
    url,
  );
}

/** Lets the page live until a moment; its last two seconds timer by timer. */
export async function wait(page, moment) {
  const ahead = moment - (await page.evaluate(() => Date.now()));
  setServer(moment);
  if (ahead > 2 * SECOND) {
    await page.clock.fastForward(ahead - 2 * SECOND);
    await answered(page);
  }
  if (ahead > 0) await page.clock.runFor(Math.min(ahead, 2 * SECOND));
  await answered(page);
}

/** Lets the page count for how many answers of the server it waits. */
function countQuestions() {
  window.openQuestions = 0;
  for (const [owner, name] of [[window, "fetch"], [Response.prototype, "text"], [Response.prototype, "json"]]) {
    const asked = owner[name];
    owner[name] = function (...given) {
      window.openQuestions += 1;
      return asked.apply(this, given).finally(() => (window.openQuestions -= 1));
    };
  }
}

/** Lets the page, whose own clock stands still, have the answers to what it has asked. */
export async function answered(page) {
  const deadline = Date.now() + MINUTE;
  for (let quiet = 0; quiet < 3; quiet += 1) {
    const open = await page.evaluate(async () => {
      const { port1, port2 } = new MessageChannel();
      await new Promise((done) => {
        port1.onmessage = done;
        port2.postMessage("");
      });
      return window.openQuestions;
    });
    if (!open) continue;
    assert.ok(Date.now() < deadline, `${page.url()} has no answer`);
    await new Promise((done) => setTimeout(done, 5));
    quiet = -1;
  }
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
    // Each day of a strip in a letter, by what is drawn where it is to be seen.
    const days = (svg) => {
      const bars = { none12: "-", green10: "g", yellow6: "y", red0: "r" };
      const drawn = {};
      const draw = (x, bar) => (drawn[x] = drawn[x] ? `[${drawn[x]}${bar}]` : bar);
      for (const path of svg.querySelectorAll("path"))
        for (const [, x, top] of path.getAttribute("d").matchAll(/M(\d+) (\d+)v/g))
          draw(x, bars[path.getAttribute("class") + top] ?? "?");
      for (const bar of svg.querySelectorAll("rect")) {
        const [x, y, height] = ["x", "y", "height"].map((name) => Number(bar.getAttribute(name)));
        draw(x, (y + height === 14 && bars[bar.getAttribute("class") + y]) || "?");
      }
      const { x, width } = svg.viewBox.baseVal;
      return Array.from({ length: width / 3 }, (_, day) => drawn[x + 3 * day] ?? "?").join("");
    };
    const strip = (element) => {
      const svg = element.querySelector(".strip");
      return { days: days(svg), label: svg.getAttribute("aria-label") };
    };
    const rows = {};
    for (const row of document.querySelectorAll("tbody[data-entity]"))
      rows[shown(row.querySelector(".name"))] = {
        health: health(row),
        word: shown(row.querySelector(".word")),
        age: shown(row.querySelector(".age")),
        grounds: shown(row.querySelector(".grounds")),
        when: shown(row.querySelector("time")),
        run: shown(row.querySelector(".run")),
        strip: strip(row),
      };
    const verdict = document.querySelector(".verdict");
    return {
      verdict: verdict && { health: health(verdict), text: shown(verdict.querySelector("h1")) },
      grounds: verdict && shown(verdict.querySelector(".grounds")),
      strip: document.querySelector(".strip.wide") && strip(document),
      spoken: shown(document.querySelector("[data-spoken]")),
      clock: shown(document.querySelector(".clock")),
      runs: [...document.querySelectorAll(".runs tbody tr:first-child")].map(shown),
      ages: [...document.querySelectorAll(".facts .age")].map(shown),
      message: shown(document.querySelector(".stale")),
      title: document.title,
      icon: document.querySelector("link[rel=icon]").getAttribute("href").match(/(\w+)\.svg/)[1],
      rows,
    };
  });
}

export { assert };
