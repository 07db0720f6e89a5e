// The database cannot be read: node away.mjs SITE_URL
//
// Built at 20:05 with all well, then at 20:15 without the database.

import { assert, at, runInBoth, seen, visit, wait } from "./browser.mjs";

const site = process.argv[2];
const clock = at("20:15:00");

runInBoth(async (browser) => {
  for (const name of ["index", "entities/sales"]) {
    let written;
    await visit(browser, `${site}${name}.html`, { javaScriptEnabled: false }, async (page) => {
      written = await seen(page);
      const banner = await page.locator(".banner").innerText();
      assert.match(banner, /^The database has not been readable since Sunday 22 November, 12:15\./);
    });
    await visit(browser, `${site}${name}.html`, { clock }, async (page) => {
      assert.deepEqual(await seen(page), written, name);
      await wait(page, at("20:20:00.001"));
      const old = await seen(page);
      assert.equal(old.verdict.health, "grey");
      assert.match(old.message, /^This page is out of date\./);
      assert.ok(await page.locator(".banner").isVisible());
      if (name === "index")
        assert.equal(old.verdict.text, "The database cannot be read, and what was read before is out of date");
    });
  }
  await visit(browser, `${site}index.html`, { clock }, async (page) => {
    const text = "The database cannot be read; at 12:05 PST on Sunday 22 November all was up to date";
    assert.deepEqual((await seen(page)).verdict, { health: "yellow", text });
    await wait(page, at("20:15:04.501"));
    const turned = "The database cannot be read. Customers has not synced since Sunday 22 November, 10:15";
    assert.deepEqual((await seen(page)).verdict, { health: "yellow", text: turned });
  });
});
