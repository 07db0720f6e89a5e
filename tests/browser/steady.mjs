// Nothing jumps: node steady.mjs WORLDS_JSON
//
// By the browser's own measure nothing moves while a page is opened or while ages count up. When a
// row of the world "turning" turns, only what lies below it makes room for what is said of it, and to
// somebody who reads further down nothing moves at all.

import { MINUTE, SECOND, assert, at, visit, wait } from "./browser.mjs";
import { LIGHT, NARROW, tour } from "./tour.mjs";

const TURN = at("20:15:04.500");

tour([LIGHT, NARROW], async (page, wrong, { world, path }) => {
  const moved = await shifts(page);
  if (moved) wrong(`what was shown has moved by ${moved}`);
  await page.evaluate(() => document.querySelector("h1").before("something new"));
  if (!(await shifts(page))) wrong("the browser does not notice what moves");
  if (world.name !== "turning") return;
  const browser = page.context().browser();
  for (const { name, ...options } of [LIGHT, NARROW]) {
    await visit(browser, world.site + path, options, (other) => turns(other, path));
    if (path === "index.html") await staysBelow(browser, world.site + path, options.viewport.width);
  }
});

async function staysBelow(browser, url, width) {
  await visit(browser, url, { viewport: { width, height: 300 } }, async (page) => {
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await wait(page, TURN - SECOND);
    await shifts(page);
    await wait(page, TURN + 1);
    assert.equal(await shifts(page), 0, "what is read further down stays where it is");
  });
}

async function turns(page, path) {
  const opened = await page.evaluate(places);
  await wait(page, TURN - MINUTE);
  const before = await page.evaluate(places);
  if (opened.ages.length > 0) assert.notDeepEqual(before.ages, opened.ages, "ages count up");
  assert.equal(await shifts(page), 0, `${path}: ages that count up move nothing`);
  if (path !== "index.html") return;
  await wait(page, TURN + 1);
  const after = await page.evaluate(places);
  const turned = after.healths.findIndex((health, index) => health !== before.healths[index]);
  assert.ok(turned >= 0, "a row has turned");
  const headline = after.headline - before.headline;
  const moved = after.rows.map((top, index) => top - before.rows[index]);
  const room = moved.at(-1);
  assert.ok(room > headline, `${room} for the sentence and a headline that is higher by ${headline}`);
  moved.forEach((by, index) => {
    const wanted = index <= turned ? headline : room;
    assert.ok(Math.abs(by - wanted) < 1, `row ${index} moves by ${by} instead of ${wanted}`);
  });
}

const places = () => ({
  ages: [...document.querySelectorAll(".age")].map((age) => age.textContent),
  healths: [...document.querySelectorAll("[data-entity]")].map((row) => row.dataset.health),
  rows: [...document.querySelectorAll("tbody[data-entity]")].map((row) => row.getBoundingClientRect().top + scrollY),
  headline: document.querySelector("h1").getBoundingClientRect().height,
});

/** By how much, in the browser's measure, things have moved since this was last asked. */
async function shifts(page) {
  await page.evaluate(() => {
    if (window.moves) return;
    window.moves = new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (window.moved += value)));
    window.moved = 0;
    window.moves.observe({ type: "layout-shift", buffered: true });
  });
  // A picture is taken of a frame that has been drawn, and with it measured.
  for (let frame = 0; frame < 2; frame += 1) await page.screenshot({ clip: { x: 0, y: 0, width: 1, height: 1 } });
  return page.evaluate(() => {
    const moved = window.moves.takeRecords().reduce((sum, { value }) => sum + value, window.moved);
    window.moved = 0;
    return moved;
  });
}
