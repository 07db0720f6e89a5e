// Changes are told to those who listen, politely and once: node announcing.mjs WORLDS_JSON
//
// In the world "turning" the customers are late from 20:15:04.5 on, and the page is out of date after
// 21:05. Nothing else is announced, however long the page counts.

import { assert, at, runInBoth, visit, wait } from "./browser.mjs";

const [world] = JSON.parse(process.argv[2]);

runInBoth(async (browser) => {
  for (const path of world.pages) {
    await visit(browser, world.site + path, {}, async (page) => {
      await page.evaluate(listen);
      for (const [moment, count] of [
        ["20:06:00.001", 0],
        ["20:15:04.499", 0],
        ["20:15:04.501", path === "index.html" || path.includes("customers") ? 1 : 0],
        ["20:30:00.000", 0],
        ["21:05:00.000", 0],
        ["21:05:00.001", 1],
        ["21:06:00.000", 0],
      ]) {
        await wait(page, at(moment));
        const said = await page.evaluate(() => window.said.splice(0));
        assert.equal(said.length, count, `${path} at ${moment}: ${JSON.stringify(said)}`);
        for (const { politely } of said) assert.ok(politely, `${path} at ${moment}: ${JSON.stringify(said)}`);
      }
    });
  }
});

/** Notes what each live region says whenever its words change. */
function listen() {
  window.said = [];
  const regions = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output";
  for (const region of document.querySelectorAll(regions)) {
    const told = () => (region.checkVisibility() ? region.textContent.trim().replace(/\s+/g, " ") : "");
    let last = told();
    new MutationObserver(() => {
      const now = told();
      if (now && now !== last) window.said.push({ now, politely: !region.matches("[aria-live=assertive], [role=alert]") });
      last = now;
    }).observe(region, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["hidden"] });
  }
}
