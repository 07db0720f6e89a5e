// Every page as it is read: node reading.mjs SITE_URL...
//
// Each SITE_URL is a site built at T. All its pages are found by following its links.

import { assert, run, seen, visit } from "./browser.mjs";

const UNTIL = "If it is later than 12:20 PST on Sunday 22 November, do not rely on this page.";

run(async (browser) => {
  for (const site of process.argv.slice(2)) {
    const overview = `${site}index.html`;
    const written = new Map();
    await visit(browser, overview, { javaScriptEnabled: false }, async (page) => {
      const links = await page.locator("a").evaluateAll((all) => all.map((link) => link.href));
      for (const url of new Set([overview, ...links.filter((link) => link.endsWith(".html"))])) {
        await page.goto(url);
        written.set(url, await seen(page));
        const text = await page.locator("main").innerText();
        assert.ok(text.includes(UNTIL), `${url} says until when it may be believed: ${text}`);
        assert.ok(text.includes("Read on Sunday 22 November 2026, 12:05 PST."), url);
      }
    });
    assert.ok(written.size >= 7, `only ${[...written.keys()]}`);
    const papers = new Set();
    for (const colorScheme of ["light", "dark"])
      await visit(browser, overview, { colorScheme }, async (page) => {
        for (const [url, what] of written) {
          await page.goto(url);
          assert.deepEqual(await seen(page), what, `${url}: the script changes nothing at once`);
          papers.add(`${url} on ${await page.evaluate(() => getComputedStyle(document.body).backgroundColor)}`);
          for (const width of [320, 480, 719, 721, 1280]) {
            await page.setViewportSize({ width, height: 800 });
            const [wide, seenAtOnce] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
            assert.ok(wide <= seenAtOnce, `${url} is ${wide} wide at ${seenAtOnce}`);
          }
        }
      });
    assert.equal(papers.size, 2 * written.size, `dark where that is wanted: ${[...papers]}`);
  }
});
