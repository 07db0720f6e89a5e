// The script and the program agree: node agreeing.mjs WORLDS_JSON
//
// Each world is {pages, sites, opened}: names of pages, and sites that the program built from the same
// rows, {"RFC 3339": URL}. What the script makes of the first at each later moment must be what the
// program says then: left open, and just opened as well where that is asked for. Firefox takes two pages of
// the first world: what it reckons with is the same script.

import { assert, runInBoth, seen, visit, wait } from "./browser.mjs";

const worlds = JSON.parse(process.argv[2]);
/** What the program says, by address. */
const program = {};

runInBoth(async (browser, name) => {
  const firefox = name === "firefox";
  for (const { pages, sites, opened } of firefox ? worlds.slice(0, 1) : worlds) {
    const builds = Object.entries(sites)
      .map(([moment, site]) => ({ moment, clock: Date.parse(moment), site }))
      .sort((a, b) => a.clock - b.clock);
    for (const page of firefox ? pages.slice(0, 2) : pages) await compare(browser, page, builds, opened && !firefox);
  }
});

async function compare(browser, name, builds, opened) {
  const url = ({ site }) => `${site}${name}.html`;
  const [first, ...others] = builds;
  if (!program[url(first)])
    await visit(browser, url(first), { javaScriptEnabled: false, also: others.map(url) }, async (page) => {
      for (const build of builds) {
        await page.goto(url(build));
        program[url(build)] = await seen(page);
      }
    });
  await visit(browser, url(first), { clock: first.clock }, async (page) => {
    const agrees = async (build, when) => assert.deepEqual(await seen(page), program[url(build)], `${name}, ${when} ${build.moment}`);
    for (const build of builds) {
      await wait(page, build.clock);
      await agrees(build, "left open until");
    }
    for (const build of opened ? builds : []) {
      await page.clock.setFixedTime(build.clock);
      await page.reload();
      await agrees(build, "opened at");
    }
  });
}
