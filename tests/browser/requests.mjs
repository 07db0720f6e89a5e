// What opening the overview asks of the server: node requests.mjs SITE_URL MOMENT
//
// Counted on the way between the browser and the server, where the icon of the tab cannot hide.

import { between } from "./between.mjs";
import { assert, run, visit } from "./browser.mjs";

const [site, moment] = process.argv.slice(2);

run(async (browser) => {
  const asked = [];
  const way = await between(site, (path) => asked.push(path));
  await visit(browser, way.url, { clock: Date.parse(moment), timers: true }, async (page) => {
    await page.waitForLoadState("networkidle");
    const kinds = asked.map((path) => (path === "/" ? "html" : path.split(".").pop()));
    const icon = kinds.includes("svg") ? ["svg"] : [];
    assert.deepEqual(kinds.sort(), ["css", "html", "js", ...icon].sort(), `${asked}`);
  });
  way.end();
});
