// A page that is left open follows later builds: node following.mjs GIVEN_JSON
//
// GIVEN_JSON: {url, clock, log, passwords: {file, right}} of the web server, and {program, folder,
// databases: {well, ill}} to build with.

import { execFileSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { between } from "./between.mjs";
import { HOUR, MINUTE, SECOND, T, answered, assert, runInBoth, seen, serverWithClock, setServer, visit, wait } from "./browser.mjs";

const given = JSON.parse(process.argv[2]);
serverWithClock(given.clock);
const overview = `${given.url}index.html`;
const SALES = `${given.url}entities/sales.html`;

runInBoth(async (browser, name) => {
  await quiet(browser);
  await newBuild(browser);
  await entityPage(browser);
  await rollBack(browser);
  await otherAssets(browser);
  await away(browser);
  await refused(browser, name);
  // What the script takes for a page of ours does not depend on the browser.
  if (name === "chromium") await notOurs(browser);
  await hidden(browser);
  await oneAtATime(browser);
  await passwordInAddress(browser);
  await withoutScript(browser);
});

/** Publishes what is in a database, as the timer would at that moment. */
function build(database, moment, ...more) {
  const now = new Date(moment).toISOString();
  execFileSync(given.program, ["build", "-q", "--out", "site", "--state-dir", "state", "--now", now, ...more], {
    cwd: given.folder,
    env: { PATH: process.env.PATH, HOME: given.folder, DATABASE_URL: given.databases[database] },
  });
  truncateSync(given.log);
}

/** What the server was asked for since the last build, but for icons, which a browser gets when it likes. */
const asked = () =>
  readFileSync(given.log, "utf8")
    .split("\n")
    .filter((line) => line && !line.endsWith(".svg"));

/** The server notes what it was asked for once it has answered. */
async function wasAsked(lines) {
  await until(() => asked().length >= lines.length, `asks for ${lines}`);
  assert.deepEqual(asked(), lines);
}

/** What somebody sees who opens the page anew, without its script. */
async function written(browser, url, clock) {
  let what;
  await visit(browser, url, { clock, javaScriptEnabled: false }, async (page) => (what = await seen(page)));
  truncateSync(given.log);
  return what;
}

/** Notes from now on every change, and every moment at which the page lacks something. */
async function watch(page) {
  await page.evaluate(() => {
    window.noted = { replaced: 0, gaps: 0, changes: 0, said: [] };
    const whole = () =>
      document.querySelector("main h1") && document.querySelector("footer p") && document.title && document.querySelector(".icon use");
    new MutationObserver((records) => {
      noted.changes += records.length;
      if (!whole()) noted.gaps += 1;
    }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    new MutationObserver(() => noted.said.push(document.querySelector(".news").textContent)).observe(
      document.querySelector(".news"),
      { subtree: true, childList: true, characterData: true },
    );
    document.addEventListener("syncmon:replaced", () => (noted.replaced += 1));
  });
}
const noted = (page) => page.evaluate(() => noted);

async function quiet(browser) {
  build("well", T);
  await visit(browser, overview, {}, async (page) => {
    const before = await seen(page);
    await wait(page, T + 59 * SECOND);
    assert.deepEqual(
      asked().filter((line) => /json/.test(line)),
      [],
      "nothing is asked for at first",
    );
    truncateSync(given.log);
    await watch(page);
    for (const minutes of [1, 2, 3]) await wait(page, T + minutes * MINUTE + SECOND);
    await wasAsked(["200", "304", "304"].map((status) => `${status} /status.json`));
    const { replaced, said } = await noted(page);
    assert.deepEqual({ replaced, said }, { replaced: 0, said: [] });
    const { rows, ...same } = await seen(page);
    assert.deepEqual({ ...same, rows: before.rows }, before);
  });
}

async function newBuild(browser) {
  const form = ["--templates", "form"];
  build("well", T, ...form);
  await visit(browser, overview, { viewport: { width: 900, height: 500 } }, async (page) => {
    await page.fill("#filter", "sales");
    await page.selectOption("#kind", "failed");
    await page.locator("#more summary").click();
    // Firefox would scroll to what has the focus, and only after this.
    await page.getByRole("link", { name: "Sales", exact: true }).evaluate((link) => link.focus({ preventScroll: true }));
    await page.evaluate(() => scrollTo(0, 130));
    await watch(page);
    const kept = () =>
      page.evaluate(() => ({
        focus: document.activeElement.textContent,
        open: document.querySelector("#more").open,
        more: document.querySelector("#more p").textContent,
        filter: document.querySelector("#filter").value,
        kind: document.querySelector("#kind").value,
      }));
    const here = { focus: "Sales", open: true, filter: "sales", kind: "failed" };

    // The same five minutes later, so to speak: nothing is said, nothing moves.
    build("well", T + MINUTE / 2, ...form);
    await wait(page, T + MINUTE + SECOND);
    await wasAsked(["200 /status.json", "200 /index.html"]);
    const { changes, ...first } = await noted(page);
    assert.deepEqual(first, { replaced: 1, gaps: 0, said: [] });
    assert.deepEqual(await kept(), { ...here, more: String(T + MINUTE / 2) });
    assert.equal(await page.evaluate(() => scrollY), 130);

    // Then trouble: other rows on top, which the reader is told once.
    build("ill", T + 1.5 * MINUTE, ...form);
    await wait(page, T + 2 * MINUTE + SECOND);
    const now = await seen(page);
    await wasAsked(["200 /status.json", "200 /index.html"]);
    const { replaced, gaps, said } = await noted(page);
    assert.deepEqual({ replaced, gaps }, { replaced: 2, gaps: 0 });
    assert.deepEqual(said, ["Products is failing, Inventory has never synced, and 1 more needs attention"]);
    assert.deepEqual(await kept(), { ...here, more: String(T + 1.5 * MINUTE) });
    const order = await page.locator(".rows .name").allTextContents();
    assert.deepEqual(order, ["Products", "Inventory", "Sale Line Items", "Customers", "Outlets", "Sales"]);

    // Exactly what the program wrote; only the ages have gone on.
    const fresh = await written(browser, overview, T + 1.5 * MINUTE);
    for (const rows of [now.rows, fresh.rows]) for (const row of Object.values(rows)) delete row.age;
    assert.deepEqual(now, fresh);

    // It goes on judging by the new build.
    await wait(page, T + 16.5 * MINUTE);
    assert.equal((await seen(page)).message, "");
    await wait(page, T + 16.5 * MINUTE + 1);
    assert.match((await seen(page)).message, /^This page is out of date\./);
    assert.equal((await noted(page)).said.length, 2);
  });
}

async function entityPage(browser) {
  build("well", T);
  await visit(browser, SALES, { viewport: { width: 400, height: 500 } }, async (page) => {
    await page.locator("summary").click();
    await page.locator("summary").focus();
    const runs = page.locator("#runs");
    const chart = page.locator(".chart").first().locator("..");
    await chart.evaluate((element) => (element.scrollLeft = -40)); // from the newest run, at the right
    await watch(page);
    build("ill", T + MINUTE / 2);
    await wait(page, T + MINUTE + SECOND);
    const now = await seen(page);
    const { replaced, gaps, said } = await noted(page);
    assert.deepEqual({ replaced, gaps, said }, { replaced: 1, gaps: 0, said: [] }, "the verdict is the same");
    assert.equal(await page.locator("details").evaluate(({ open }) => open), true);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Day by day");
    assert.equal(await chart.evaluate((element) => element.scrollLeft), -40);
    assert.match(await runs.innerText(), /running/);
    const fresh = await written(browser, SALES, T + MINUTE / 2);
    assert.deepEqual({ ...now, ages: [] }, { ...fresh, ages: [] });
  });
}

async function rollBack(browser) {
  build("ill", T + MINUTE);
  await visit(browser, overview, { clock: T + MINUTE }, async (page) => {
    assert.equal((await seen(page)).verdict.health, "red");
    build("well", T);
    await wait(page, T + 2 * MINUTE + SECOND);
    const { verdict, title, icon } = await seen(page);
    assert.deepEqual(verdict, { health: "green", text: "All 6 syncs are up to date" });
    assert.deepEqual([title, icon], ["All 6 syncs are up to date · Craft Contemporary", "green"]);
  });
}

async function otherAssets(browser) {
  build("well", T);
  await visit(browser, overview, { viewport: { width: 900, height: 400 } }, async (page) => {
    await page.evaluate(() => scrollTo(0, 110));
    const version = () => page.evaluate(() => [document.body.dataset.version, document.styleSheets[0].href]);
    const [before] = await version();
    build("well", T + MINUTE / 2, "--templates", "other");
    const loaded = page.waitForEvent("load");
    setServer(T + MINUTE);
    await page.clock.runFor(MINUTE);
    await loaded;
    const [after, style] = await version();
    assert.notEqual(after, before);
    assert.ok(style.includes(`/${after}/`), style);
    assert.equal(await page.evaluate(() => scrollY), 110);
  });
}

async function away(browser) {
  build("well", T);
  const forgiven = /ERR_INTERNET_DISCONNECTED|NS_ERROR_OFFLINE/;
  await visit(browser, overview, { forgiven }, async (page) => {
    await page.context().setOffline(true);
    build("ill", T + MINUTE / 2);
    await watch(page);
    for (const minutes of [1, 2, 3]) await wait(page, T + minutes * MINUTE + SECOND);
    assert.equal((await seen(page)).verdict.text, "All 6 syncs are up to date");
    assert.deepEqual((await noted(page)).said, []);
    await page.context().setOffline(false);
    await wait(page, T + 4 * MINUTE + SECOND);
    assert.equal((await seen(page)).verdict.health, "red");
  });
}

/** What comes from now on is refused, or not. */
function lock(closed) {
  writeFileSync(given.passwords.file, closed ? given.passwords.right.replace(/.{9}$/s, "AAAAAAAA\n") : given.passwords.right);
}

async function refused(browser, name) {
  build("well", T);
  // The driver cancels the browser's question for the password: of Chromium's the second one, which makes an answer
  // to the first one necessary.
  const driver = name === "chromium" && { extraHTTPHeaders: {}, httpCredentials: { username: "cfo", password: "long random password" } };
  await visit(browser, overview, { ...driver, forgiven: /401/ }, async (page) => {
    const before = await seen(page);
    build("ill", T + MINUTE / 2);
    lock(true);
    try {
      for (const minutes of [1, 2, 3]) await wait(page, T + minutes * MINUTE + SECOND);
    } finally {
      lock(false);
    }
    // Once: asking each minute would ask the reader for the password each minute.
    assert.ok(asked().every((line) => line === "401 /status.json"), asked());
    const { rows, ...same } = await seen(page);
    assert.deepEqual({ ...same, rows: before.rows }, before);
    truncateSync(given.log);
    await wait(page, T + 4 * MINUTE + SECOND);
    await wasAsked([]);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await answered(page);
    assert.equal((await seen(page)).verdict.health, "red");
  });
}

async function notOurs(browser) {
  const LOGIN = "<!DOCTYPE html><html><body><main><form>Who are you?</form></main></body></html>\n";
  build("ill", T + MINUTE / 2);
  const site = (name) => join(given.folder, "site", name);
  const page = readFileSync(site("index.html"), "utf8");
  const status = readFileSync(site("status.json"), "utf8");
  const worlds = {
    "a login page everywhere": [LOGIN, LOGIN],
    "a login page in place of the page": [status, LOGIN],
    "half a page": [status, page.slice(0, page.length / 2)],
    "a page without its end": [status, page.replace(/<\/html>\s*$/, "")],
    "nothing at all": [status, ""],
    "a status without a time": ["{}", page],
    "half a status": [status.slice(0, 300), page],
    "a page that is not there": [status, null],
  };
  for (const [name, [json, html]] of Object.entries(worlds)) {
    build("well", T);
    await visit(browser, overview, { forgiven: /404/ }, async (page) => {
      const before = await seen(page);
      await watch(page);
      writeFileSync(site("status.json"), json);
      if (html === null) execFileSync("rm", [site("index.html")]);
      else writeFileSync(site("index.html"), html);
      await wait(page, T + MINUTE + SECOND);
      const { rows, ...same } = await seen(page);
      assert.deepEqual({ ...same, rows: before.rows }, before, name);
      assert.equal((await noted(page)).replaced, 0, name);
      await until(() => asked().some((line) => /status/.test(line)), `asks, given ${name}`);
      build("ill", T + MINUTE);
      await wait(page, T + 2 * MINUTE + SECOND);
      assert.equal((await seen(page)).verdict.health, "red", name);
    });
  }
}

async function hidden(browser) {
  build("well", T);
  await visit(browser, overview, {}, async (page) => {
    const turn = (away) =>
      page.evaluate((away) => {
        Object.defineProperty(document, "hidden", { value: away, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, away);
    await turn(true);
    build("ill", T + MINUTE / 2);
    for (const minutes of [1, 2, 3]) await wait(page, T + minutes * MINUTE + SECOND);
    await wasAsked([]);
    await turn(false);
    await answered(page);
    assert.equal((await seen(page)).verdict.health, "red");
  });
}

async function oneAtATime(browser) {
  build("well", T);
  const held = [];
  const way = await between(given.url, (path, answer) => path === "/status.json" && new Promise((go) => held.push({ go, answer })));
  await visit(browser, `${way.url}index.html`, {}, async (page) => {
    const comesBack = () => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    const asked = async (count) => {
      await until(() => held.length >= count, "is asked");
      assert.equal(held.length, count);
    };
    await page.clock.runFor(MINUTE);
    for (const _ of "12") {
      await comesBack();
      await page.clock.runFor(10 * SECOND);
      await asked(1);
      assert.ok(!held[0].answer.closed, "it is waited for");
    }
    // Nobody waits for ever.
    await page.clock.runFor(10 * SECOND);
    await until(() => held[0].answer.closed, "is given up");
    await comesBack();
    await page.clock.runFor(10 * SECOND);
    await asked(2);

    build("ill", T + MINUTE);
    setServer(T + MINUTE + 40 * SECOND);
    held[1].go();
    await answered(page);
    const { verdict, clock } = await seen(page);
    assert.deepEqual([verdict.health, clock], ["red", ""]);
  });
  way.end();
}

/** Waits for what is bound to come, on a machine however slow. */
async function until(came, what) {
  for (const deadline = Date.now() + 60 * SECOND; !came(); await new Promise((wait) => setTimeout(wait, 20)))
    assert.ok(Date.now() < deadline, `it never ${what}`);
}

async function passwordInAddress(browser) {
  build("well", T);
  const address = overview.replace("//", "//cfo:long%20random%20password@");
  // Firefox gives the password when it is asked for it.
  const options = { extraHTTPHeaders: {}, also: [overview], forgiven: /^401 from .*index\.html$/ };
  await visit(browser, address, options, async (page) => {
    build("ill", T + MINUTE / 2);
    await wait(page, T + MINUTE + SECOND);
    assert.equal((await seen(page)).verdict.health, "red");
  });
}

async function withoutScript(browser) {
  const refresh = "document.querySelector('meta[http-equiv=refresh]')?.content ?? 'none'";
  await visit(browser, overview, { javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.evaluate(refresh), "300");
  });
  await visit(browser, overview, { clock: T + HOUR }, async (page) => {
    assert.equal(await page.evaluate(refresh), "none");
  });
}
