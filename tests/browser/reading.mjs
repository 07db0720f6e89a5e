// Every page as it is read: node reading.mjs SITE_URL...
//
// Each SITE_URL is a site built at T. All its pages are found by following its links.

import { assert, run, seen, visit } from "./browser.mjs";

const UNTIL = "If it is later than 12:20 PST on Sunday 22 November, do not rely on this page.";

run(async (browser) => {
  for (const site of process.argv.slice(2)) {
    const pages = await linked(browser, `${site}index.html`);
    assert.ok(pages.length >= 7, `only ${pages}`);
    for (const url of pages) await read(browser, url);
  }
});

async function linked(browser, url) {
  const found = [url];
  await visit(browser, url, {}, async (page) => {
    const links = await page.locator("a").evaluateAll((all) => all.map((link) => link.href));
    found.push(...links.filter((link) => link.endsWith(".html")));
  });
  return found;
}

async function read(browser, url) {
  let written;
  await visit(browser, url, { javaScriptEnabled: false }, async (page) => {
    written = await seen(page);
    const text = await page.locator("main").innerText();
    assert.ok(text.includes(UNTIL), `${url} says until when it may be believed: ${text}`);
    assert.ok(text.includes("Read on Sunday 22 November 2026, 12:05 PST."), url);
  });
  const papers = new Set();
  for (const colorScheme of ["light", "dark"]) {
    await visit(browser, url, { colorScheme }, async (page) => {
      assert.deepEqual(await seen(page), written, `${url}: the script changes nothing at once`);
      papers.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      for (const width of [320, 480, 719, 721, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        const [wide, seenAtOnce] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= seenAtOnce, `${url} is ${wide} wide at ${seenAtOnce}`);
      }
    });
  }
  assert.equal(papers.size, 2, `${url} is dark where that is wanted`);
}
