// Pictures for people to look at: node pictures.mjs FOLDER SITES_JSON PICTURES_JSON
//
// SITES_JSON has the address of each site by its name. PICTURES_JSON is a list of {name, of, page, scheme,
// width, height, media, at}: which site, page (index.html), colour scheme (light), width (1000), how much of it
// (all), medium (screen) and the reader's clock (T). No page may be wider than what it is shown in.

import { join } from "node:path";
import { T, assert, run, visit } from "./browser.mjs";

const [folder, sites, pictures] = process.argv.slice(2);
const site = JSON.parse(sites);

run(async (browser) => {
  for (const { name, of, page: path = "index.html", scheme = "light", width = 1000, height, media = "screen", at } of JSON.parse(pictures)) {
    const options = {
      clock: at ? Date.parse(at) : T,
      colorScheme: scheme,
      viewport: { width, height: height ?? 900 },
      deviceScaleFactor: width < 500 ? 2 : 1,
    };
    await visit(browser, site[of] + path, options, async (page) => {
      await page.emulateMedia({ media, colorScheme: scheme });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${name} is ${wide} wide at ${width}`);
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: !height });
    });
  }
});
