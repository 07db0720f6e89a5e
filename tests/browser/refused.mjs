// What is shown in place of the site, in the site's own taste: node refused.mjs WEB_URL COUNTING_URL
//
// The second server counts requests with a password, as shipped; the first does not.

import { assert, run } from "./browser.mjs";

const headers = { Authorization: `Basic ${btoa("cfo:long random password")}` };
const RIGHT = { extraHTTPHeaders: headers };
// Without any answer to the question for a password, the driver takes the page for an error.
const WRONG = { httpCredentials: { username: "cfo", password: "wrong" } };
const [web, counting] = process.argv.slice(2);

run(async (browser) => {
  for (const colorScheme of ["light", "dark"]) {
    await shown(browser, colorScheme, web, WRONG, 401, "A password is needed");
    await shown(browser, colorScheme, `${web}nothing`, RIGHT, 404, "There is no such page");
    await meanwhile(() => shown(browser, colorScheme, counting, RIGHT, 429, "Too many requests"));
  }
});

/** Asks without a pause while `look` looks, so that there is nothing left for it. */
async function meanwhile(look) {
  let over = false;
  const asked = () => fetch(counting, { headers }).then(({ status }) => status);
  while ((await asked()) !== 429);
  const asking = Array.from({ length: 4 }, async () => {
    while (!over) await asked();
  });
  try {
    await look();
  } finally {
    over = true;
    await Promise.all(asking);
  }
}

async function shown(browser, colorScheme, url, options, status, title) {
  const context = await browser.newContext({ ...options, colorScheme, viewport: { width: 320, height: 500 } });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (!message.text().startsWith("Failed to load resource")) wrong.push(message.text());
  });
  const answer = await page.goto(url);
  assert.equal(answer.status(), status);
  assert.equal(await page.title(), title);
  const seen = await page.evaluate(() => {
    const { backgroundColor, color } = getComputedStyle(document.body);
    return { backgroundColor, color, heading: document.querySelector("h1").textContent, wide: document.body.scrollWidth };
  });
  const paper = { light: "rgb(251, 250, 247)", dark: "rgb(23, 22, 20)" };
  const ink = { light: "rgb(29, 27, 24)", dark: "rgb(238, 235, 228)" };
  assert.deepEqual(seen, { backgroundColor: paper[colorScheme], color: ink[colorScheme], heading: title, wide: 320 });
  assert.deepEqual(wrong, []);
  await context.close();
}
