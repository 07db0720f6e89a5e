// The script and the program agree: node agreeing.mjs WORLDS_JSON
//
// Each world is {pages, sites, opened}: names of pages, and sites that the program built from the same
// rows, {"RFC 3339": URL}. What the script makes of the first at each later moment must be what the
// program says then: left open, and just opened as well where that is asked for.

import { assert, runInBoth, seen, visit, wait } from "./browser.mjs";

runInBoth(async (browser) => {
  for (const { pages, sites, opened } of JSON.parse(process.argv[2])) {
    const builds = Object.entries(sites)
      .map(([moment, site]) => ({ moment, clock: Date.parse(moment), site }))
      .sort((a, b) => a.clock - b.clock);
    for (const name of pages) await compare(browser, name, builds, opened ? builds : []);
  }
});

async function compare(browser, name, builds, opened) {
  const url = ({ site }) => `${site}${name}.html`;
  const [first, ...others] = builds;
  const program = {};
  await visit(browser, url(first), { javaScriptEnabled: false, also: others.map(url) }, async (page) => {
    for (const build of builds) {
      await page.goto(url(build));
      program[build.moment] = await seen(page);
    }
  });
  await visit(browser, url(first), { clock: first.clock }, async (page) => {
    for (const { moment, clock } of builds) {
      await wait(page, clock);
      assert.deepEqual(await seen(page), program[moment], `${name} at ${moment}`);
    }
    for (const { moment, clock } of opened) {
      await page.clock.setFixedTime(clock);
      await page.reload();
      assert.deepEqual(await seen(page), program[moment], `${name}, opened at ${moment}`);
    }
  });
}
