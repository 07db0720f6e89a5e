// Pictures for people to look at: node pictures.mjs FOLDER PICTURES_JSON
//
// PICTURES_JSON is a list of {name, url, scheme, width, height, media, at}: colour scheme (light), width
// (1000), how much of it (all), medium (screen) and the reader's clock (T). No page may be wider than what
// it is shown in.

import { join } from "node:path";
import { T, assert, run, visit } from "./browser.mjs";

const [folder, pictures] = process.argv.slice(2);

run(async (browser) => {
  for (const { name, url, scheme = "light", width = 1000, height, media = "screen", at } of JSON.parse(pictures)) {
    const options = {
      clock: at ? Date.parse(at) : T,
      colorScheme: scheme,
      viewport: { width, height: height ?? 900 },
      deviceScaleFactor: width < 500 ? 2 : 1,
    };
    await visit(browser, url, options, async (page) => {
      await page.emulateMedia({ media, colorScheme: scheme });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${name} is ${wide} wide at ${width}`);
      await page.screenshot({ path: join(folder, `${name}.png`), fullPage: !height });
    });
  }
});
