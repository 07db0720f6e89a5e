// How long a page may be believed, and by which clock: node validity.mjs FILE_URL WEB_URL SERVER_CLOCK EVENING_URL
//
// The first two are the same site, built at T when all was well: the customers synced at 18:15:04.5, the others
// at 19:55. It may be believed until 20:20. SERVER_CLOCK is the file with the web server's clock.
// EVENING_URL is a site built 20 minutes before midnight, which may be believed for 15 of them. The sales
// had synced five minutes before.

import { HOUR, MINUTE, SECOND, T, answered, assert, at, runInBoth, seen, serverWithClock, setServer, sleep, visit, wait } from "./browser.mjs";

const UNTIL = at("20:20:00");
const NAMES = ["Customers", "Outlets", "Products", "Sales", "Sale Line Items", "Inventory"];

const overview = (site) => `${site}index.html`;
const wake = (page) => page.evaluate(() => dispatchEvent(new Event("focus")));
const rows = ({ rows }) => NAMES.map((name) => `${rows[name].health} ${rows[name].word}`);
const all = (verdict) => NAMES.map(() => verdict);

const [file, web, serverClock, evening] = process.argv.slice(2);
serverWithClock(serverClock);

runInBoth(async (browser, name) => {
  for (const site of name === "firefox" ? [web] : [file, web]) {
    await oneTurns(browser, site);
    await outOfDate(browser, site);
    await comingBack(browser, site);
  }
  await clocks(browser, file);
  if (name === "chromium") await newDay(browser, evening);
  await allowedFor(browser, web);
});

async function oneTurns(browser, site) {
  await visit(browser, overview(site), {}, async (page) => {
    const written = await seen(page);
    assert.deepEqual(written.verdict, { health: "green", text: "All 6 syncs are up to date" });
    assert.equal(written.title, "All 6 syncs are up to date · Craft Contemporary");
    assert.equal(written.icon, "green");
    assert.equal(written.message, "");
    assert.deepEqual(rows(written), all("green Up to date"));

    await wait(page, at("20:15:04.499"));
    assert.deepEqual((await seen(page)).verdict, written.verdict);
    await wait(page, at("20:15:04.501"));
    const turned = await seen(page);
    const summary = "Customers has not synced since Sunday 22 November, 10:15";
    assert.deepEqual(turned.verdict, { health: "yellow", text: summary });
    assert.equal(turned.title, `${summary} · Craft Contemporary`);
    assert.equal(turned.icon, "yellow");
    assert.match(turned.rows.Customers.grounds, /should sync at least every 2 hours\.$/);
    assert.deepEqual(rows(turned), ["yellow Late", ...all("green Up to date").slice(1)]);
  });
}

async function outOfDate(browser, site) {
  await visit(browser, overview(site), {}, async (page) => {
    await wait(page, UNTIL);
    assert.equal((await seen(page)).message, "");
    assert.equal((await seen(page)).verdict.health, "yellow");
    await wait(page, UNTIL + 1);
    const old = await seen(page);
    assert.equal(
      old.message,
      "This page is out of date. It could be relied on until 12:20 PST on Sunday 22 November.",
    );
    assert.deepEqual(old.verdict, {
      health: "grey",
      text: "This page is out of date. When its data was read: All 6 syncs are up to date",
    });
    assert.equal(old.title, "Out of date · Craft Contemporary");
    assert.equal(old.icon, "grey");
    assert.deepEqual(rows(old), ["yellow Late", ...all("yellow Out of date").slice(1)]);

    // Rows still get worse.
    await wait(page, at("18:15:04.500") + 12 * HOUR);
    assert.equal(rows(await seen(page))[0], "yellow Late");
    await wait(page, at("18:15:04.500") + 12 * HOUR + 1);
    const older = await seen(page);
    assert.equal(rows(older)[0], "red Overdue");
    assert.equal(rows(older)[1], "yellow Late");
    assert.equal(older.verdict.health, "grey");
    assert.equal(older.rows.Customers.age, "12 h ago");
  });
  await visit(browser, `${site}entities/sales.html`, {}, async (page) => {
    const written = await seen(page);
    assert.deepEqual(written.verdict, { health: "green", text: "Sales: Up to date" });
    assert.equal(written.title, "Sales: Up to date · Craft Contemporary");
    await wait(page, UNTIL + 1);
    const old = await seen(page);
    assert.deepEqual(old.verdict, { health: "grey", text: "Sales: Out of date" });
    assert.match(old.message, /^This page is out of date\./);
    assert.equal(old.title, "Out of date · Craft Contemporary");
    assert.equal(old.icon, "grey");
    await wait(page, at("19:55:00") + 12 * HOUR + 1);
    assert.deepEqual((await seen(page)).verdict, { health: "grey", text: "Sales: Overdue" });
  });
}

async function clocks(browser, site) {
  const wrong = async (page) => {
    const shown = await seen(page);
    assert.equal(shown.verdict.health, "grey");
    assert.equal(shown.icon, "grey");
    assert.match(shown.message, /^This device’s clock is behind/);
    assert.equal(shown.title, "Not known · Craft Contemporary");
    assert.ok(Object.values(shown.rows).every(({ health, word, age }) => `${health} ${word}${age}` === "grey Not known"));
    assert.ok(shown.ages.every((age) => age === ""));
  };
  const right = async (page) => {
    const shown = await seen(page);
    assert.equal(shown.verdict.health, "green");
    assert.equal(shown.message, "");
  };
  for (const name of ["index", "entities/sales"]) {
    const url = `${site}${name}.html`;
    await visit(browser, url, { clock: T - 6 * MINUTE }, async (page) => {
      await wrong(page);
      await sleep(page, T);
      await wake(page);
      await right(page);
    });
    await visit(browser, url, { clock: T - 5 * MINUTE - 1 }, wrong);
    await visit(browser, url, { clock: T - 5 * MINUTE }, right);
    await visit(browser, url, { clock: T - 4 * MINUTE }, right);
  }
}

async function comingBack(browser, site) {
  const later = UNTIL + SECOND;
  await visit(browser, overview(site), {}, async (page) => {
    // Firefox keeps a page that is left for coming back, and the driver's clock stands still in it.
    await page.addInitScript((later) => {
      addEventListener("pageshow", ({ persisted }) => persisted && globalThis.__pwClock.controller.setFixedTime(later));
    }, later);
    await page.reload();
    await page.getByRole("link", { name: "Sales", exact: true }).click();
    await page.waitForURL("**/entities/sales.html");
    await page.clock.setFixedTime(later);
    setServer(later);
    for (const [by, name] of [[-1, "index.html"], [1, "entities/sales.html"]]) {
      await page.evaluate((by) => history.go(by), by);
      await page.waitForFunction((name) => location.href.endsWith(name) && document.readyState === "complete", name);
      assert.equal((await seen(page)).verdict.health, "grey", `${name}, on coming back`);
    }
    await page.reload();
    assert.equal((await seen(page)).verdict.health, "grey");
  });
}

// Of a day that began after the page's time nothing is known: only trouble is drawn on it.
async function newDay(browser, site) {
  const written = Date.parse("2026-11-23T07:40:00Z");
  const midnight = Date.parse("2026-11-23T08:00:00Z");
  await visit(browser, overview(site), { clock: written }, async (page) => {
    const strip = async (moment) => {
      await wait(page, moment);
      const { days, label } = (await seen(page)).rows.Sales.strip;
      assert.equal(days.length, 90);
      return `${days.slice(-3)} ${label.match(/\d+/g).join(" ")}`;
    };
    assert.equal(await strip(written), "--g 90 1 0 0 89");
    assert.equal(await strip(midnight - 1), "--g 90 1 0 0 89");
    assert.equal(await strip(midnight), "-g- 90 1 0 0 89");
    assert.equal(await strip(midnight + 95 * MINUTE - 1), "-g- 90 1 0 0 89");
    assert.equal(await strip(midnight + 95 * MINUTE), "-gy 90 1 1 0 88");
    assert.equal(await strip(midnight + 24 * HOUR - 1), "-gr 90 1 0 1 88");
    assert.equal(await strip(midnight + 24 * HOUR), "grr 90 1 0 2 87");
  });
}

// The server knows what time it is.
async function allowedFor(browser, site) {
  const shown = async (page) => {
    await answered(page);
    const { verdict, icon, message, clock, rows } = await seen(page);
    return { verdict: verdict.health, icon, message, clock, age: rows.Outlets?.age };
  };
  const right = { verdict: "green", icon: "green", message: "", age: "10 min ago" };
  const line = (amount) => `This device’s clock is ${amount}; this page goes by the server’s.`;
  for (const [clock, amount] of [
    [T - HOUR, "1 h behind"],
    [T + 48 * HOUR, "2 days ahead"],
    [T - 72 * HOUR - 25 * MINUTE, "3 days behind"],
    [T + 72 * MINUTE, "1 h 12 min ahead"],
  ])
    await visit(browser, overview(site), { clock, server: T }, async (page) => {
      assert.deepEqual(await shown(page), { ...right, clock: line(amount) });
    });

  // Somewhat wrong, it is noticed with the first request.
  for (const [wrong, clock] of [
    [-29 * SECOND, ""],
    [29 * SECOND, ""],
    [-31 * SECOND, line("1 min behind")],
    [4 * MINUTE, line("4 min ahead")],
  ])
    await visit(browser, overview(site), { clock: T + MINUTE + wrong, server: T + MINUTE }, async (page) => {
      assert.equal((await shown(page)).clock, "");
      setServer(T + 2 * MINUTE);
      await page.clock.runFor(MINUTE);
      assert.equal((await shown(page)).clock, clock);
      assert.equal((await shown(page)).verdict, "green");
    });

  // A server whose own clock is before the moment at which the page was written is not believed.
  await visit(browser, overview(site), { clock: T - HOUR, server: T - 5 * MINUTE - 2 * SECOND }, async (page) => {
    const { verdict, message, clock } = await shown(page);
    assert.deepEqual({ verdict, clock }, { verdict: "grey", clock: "" });
    assert.match(message, /^This device’s clock is behind/);
  });

  await visit(browser, overview(site), { server: T - HOUR }, async (page) => {
    await page.clock.runFor(MINUTE);
    const { verdict, clock } = await shown(page);
    assert.deepEqual({ verdict, clock }, { verdict: "green", clock: "" });
  });

  // What is out of date stays so.
  await visit(browser, overview(site), { clock: UNTIL + HOUR }, async (page) => {
    const { verdict, message, clock } = await shown(page);
    assert.deepEqual({ verdict, clock }, { verdict: "grey", clock: "" });
    assert.match(message, /^This page is out of date\./);
  });
}
