// How long a page may be believed, and by which clock: node validity.mjs SITE_URL...
//
// Each SITE_URL is the same site, built at T when all was well: the customers synced at 18:15:04.5,
// the others at 19:55. It may be believed until 20:20.

import { HOUR, MINUTE, SECOND, T, assert, at, run, seen, sleep, visit, wait } from "./browser.mjs";

const UNTIL = at("20:20:00");
const NAMES = ["Customers", "Outlets", "Products", "Sales", "Sale Line Items", "Inventory"];

const overview = (site) => `${site}index.html`;
const wake = (page) => page.evaluate(() => dispatchEvent(new Event("focus")));
const rows = ({ rows }) => NAMES.map((name) => `${rows[name].health} ${rows[name].word}`);
const all = (verdict) => NAMES.map(() => verdict);

run(async (browser) => {
  for (const site of process.argv.slice(2)) {
    await oneTurns(browser, site);
    await outOfDate(browser, site);
    await clocks(browser, site);
    await comingBack(browser, site);
  }
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
    assert.match(turned.rows.Customers.detail, /at least every 2 hours\. The last success was on/);
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
      "This page is out of date. If it is later than 12:20 PST on Sunday 22 November, do not rely on this page.",
    );
    assert.deepEqual(old.verdict, {
      health: "grey",
      text: "This page is out of date; when it was read: All 6 syncs are up to date",
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
  await visit(browser, overview(site), {}, async (page) => {
    await page.getByRole("link", { name: "Sales", exact: true }).click();
    await page.waitForURL("**/entities/sales.html");
    await page.clock.setFixedTime(UNTIL + SECOND);
    await page.goBack();
    assert.equal((await seen(page)).verdict.health, "grey");
    await page.goForward();
    assert.equal((await seen(page)).verdict.health, "grey");
    await page.reload();
    assert.equal((await seen(page)).verdict.health, "grey");
  });
}
