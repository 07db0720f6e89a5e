// The script judges by the due times that the build wrote: node scheduled.mjs WORLDS_JSON
//
// Each world is {site, moments}: the address of a site, and what the program says of its syncs at some moments, in
// their order: [{clock, summary, verdicts: {name: reason}}]. Prints how many verdicts were compared.

import { assert, run, seen, visit, wait } from "./browser.mjs";

const WORDS = { fresh: "Up to date", missed: "Missed a run", overdue: "Overdue" };

let compared = 0;

run(async (browser) => {
  for (const { site, moments } of JSON.parse(process.argv[2])) {
    await visit(browser, `${site}index.html`, { clock: moments[0].clock }, async (page) => {
      for (const { clock, summary, verdicts } of moments) {
        await wait(page, clock);
        const { rows } = await seen(page);
        for (const [name, reason] of Object.entries(verdicts)) {
          const at = `${name} at ${new Date(clock).toISOString()} in ${site}`;
          assert.equal(rows[name].word, WORDS[reason], at);
          compared += 1;
        }
        assert.equal(await page.textContent("h1"), summary);
      }
    });
  }
  console.log(compared);
});
