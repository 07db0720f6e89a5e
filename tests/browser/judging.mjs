// The page goes on judging: node judging.mjs SITE_URL
//
// SITE_URL is a site built at T.

import { HOUR, MINUTE, T, assert, at, runInBoth, seen, sleep, visit, wait } from "./browser.mjs";

const site = process.argv[2];

const row = async (page, name) => {
  const { health, word } = (await seen(page)).rows[name];
  return `${health} ${word}`;
};

runInBoth(async (browser) => {
  await visit(browser, `${site}index.html`, {}, async (page) => {
    assert.equal(await row(page, "Customers"), "green Up to date");
    assert.equal(await row(page, "Sales"), "green Up to date");
    assert.equal(await row(page, "Sale Line Items"), "yellow Late");

    // Ages count up, and nothing else changes.
    assert.equal((await seen(page)).rows.Customers.age, "42 min ago");
    await wait(page, T + MINUTE + 1);
    assert.equal((await seen(page)).rows.Customers.age, "43 min ago");

    // Running since 20:01, so stuck just after 21:01.
    await wait(page, at("21:01:00.000"));
    assert.equal(await row(page, "Sales"), "green Up to date");
    await wait(page, at("21:01:00.001"));
    assert.equal(await row(page, "Sales"), "yellow Stuck");

    // Synced at 19:22:04.5, so late from 21:22:04.5 on.
    await wait(page, at("21:22:04.499"));
    assert.equal(await row(page, "Customers"), "green Up to date");
    await wait(page, at("21:22:04.501"));
    assert.equal(await row(page, "Customers"), "yellow Late");

    // Overdue more than 12 hours after 17:05.
    const overdue = at("17:05:00") + 12 * HOUR;
    await wait(page, overdue);
    assert.equal(await row(page, "Sale Line Items"), "yellow Late");
    await wait(page, overdue + 1);
    assert.equal(await row(page, "Sale Line Items"), "red Overdue");
  });

  // At exactly the moment of lateness, by somebody who looks exactly then.
  await visit(browser, `${site}index.html`, { clock: at("21:22:04.500") }, async (page) => {
    assert.equal(await row(page, "Customers"), "yellow Late");
  });

  // Once woken, the page says what it would have said all along.
  await visit(browser, `${site}index.html`, {}, async (page) => {
    for (const event of ["pageshow", "visibilitychange", "focus"]) {
      await sleep(page, T);
      await page.evaluate((name) => dispatchEvent(new Event(name)), "focus");
      assert.equal(await row(page, "Customers"), "green Up to date", event);
      await sleep(page, T + 13 * HOUR);
      assert.equal(await row(page, "Customers"), "green Up to date", "nobody has woken it yet");
      await page.evaluate(
        (name) => (name === "visibilitychange" ? document : window).dispatchEvent(new Event(name)),
        event,
      );
      assert.equal(await row(page, "Customers"), "red Overdue", event);
    }
  });
});
