// The history in the browser: node history.mjs FILE_URL WEB_URL LARGE_URL
//
// FILE_URL and WEB_URL lead to the same site, LARGE_URL to one whose history lists 5,000 runs.

import { SECOND, T, assert, run, visit, wait } from "./browser.mjs";

const [file, web, large] = process.argv.slice(2);
const PATH = "history/index.html";

/** What a reader sees of the history. */
const listed = (page) =>
  page.evaluate(() => {
    const shown = (element) => element.checkVisibility();
    return {
      runs: [...document.querySelectorAll("[data-result]")].filter(shown).map((row) => row.id.replace("run-", "")),
      days: [...document.querySelectorAll("[data-day]")].filter(shown).map((day) => day.dataset.day),
      errors: [...document.querySelectorAll(".log .why")].filter(shown).length,
      said: document.querySelector(".filter [role=status]").textContent,
      address: decodeURIComponent(location.search + location.hash),
    };
  });

const tallies = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll(".tally")].filter((tally) => tally.checkVisibility()).map((tally) => tally.textContent),
  );

const field = (page, name) => page.getByLabel(name, { exact: true });

/** Nothing more is typed. */
const pause = (page) => page.clock.runFor(SECOND);

async function filters(browser, site) {
  await visit(browser, site + PATH, {}, async (page) => {
    const everything = await listed(page);
    assert.equal(everything.runs.length, 12);
    assert.equal(everything.days.length, 7, "a day without a run is shown as well");
    assert.equal(everything.said, "");

    // By status; the days without such a run leave.
    await field(page, "Result").selectOption("failed");
    await pause(page);
    assert.deepEqual(await listed(page), {
      runs: ["3", "31"],
      days: ["2026-11-22"],
      errors: 2,
      said: "2 of 12 runs match",
      address: "?status=failed",
    });

    // And by sync.
    await field(page, "Sync").selectOption("Sale Line Items");
    await pause(page);
    let seen = await listed(page);
    assert.deepEqual(seen.runs, ["31"]);
    assert.equal(seen.said, "1 of 12 runs matches");
    assert.equal(seen.address, "?entity=sale_line_items&status=failed");

    // A word of the error, in any case, and in any order with a word of the action.
    await field(page, "Result").selectOption("");
    await field(page, "Text").pressSequentially("REFUSED extract");
    seen = await listed(page);
    assert.deepEqual(seen.runs, ["31"], "at once");
    assert.equal(seen.said, "1 of 12 runs matches", "said only once nothing more is typed");
    await field(page, "Text").pressSequentially(" nowhere");
    await pause(page);
    seen = await listed(page);
    assert.deepEqual([seen.runs, seen.days, seen.said], [[], [], "0 of 12 runs match"]);

    // Enter leads nowhere.
    await field(page, "Text").press("Enter");
    assert.deepEqual(await listed(page), seen);

    await page.getByRole("button", { name: "Show all" }).click();
    await pause(page);
    assert.deepEqual(await listed(page), everything);

    // Days are those of the museum, both ends included.
    await field(page, "From").fill("2026-11-20");
    await field(page, "To").fill("2026-11-21");
    await pause(page);
    seen = await listed(page);
    assert.deepEqual(seen.runs, ["30", "2"]);
    assert.deepEqual(seen.days, ["2026-11-21", "2026-11-20"]);
    assert.equal(seen.address, "?from=2026-11-20&to=2026-11-21");
    await field(page, "Result").selectOption("failed");
    await pause(page);
    assert.deepEqual(await tallies(page), [], "only days with a match are headed");
    await field(page, "Result").selectOption("");
    await pause(page);
    assert.deepEqual(await tallies(page), ["1 of 1 runs", "1 of 1 runs"], "what of the day is shown");
    await field(page, "To").fill("2026-11-19");
    await pause(page);
    assert.deepEqual((await listed(page)).runs, [], "ends before it begins");
  });
}

/** The address is enough to see the same, in another browser, after a reload and on coming back. */
async function shares(browser, site) {
  let shared;
  await visit(browser, site + PATH, {}, async (page) => {
    await field(page, "Text").fill("é = 100 % & <gift>");
    await field(page, "From").fill("2026-11-21");
    await pause(page);
    assert.equal((await listed(page)).address, "?from=2026-11-21&q=é+=+100+%+&+<gift>");
    await field(page, "Text").fill("gift");
    await field(page, "Result").selectOption("completed");
    await pause(page);
    shared = { ...(await listed(page)), url: page.url() };
    assert.deepEqual(shared.runs, ["40"]);
    await page.reload();
    await pause(page);
    assert.deepEqual({ ...(await listed(page)), url: page.url() }, shared, "after a reload");

    // Whoever leaves before the address was changed finds what was typed all the same.
    await field(page, "Text").fill("gift c");
    const left = { ...(await listed(page)), address: "" };
    await page.locator("#run-40 a").click();
    await page.waitForURL(/giftcards/);
    await page.goBack();
    await page.waitForURL(/history/);
    await pause(page);
    assert.equal(await field(page, "Text").inputValue(), "gift c");
    assert.deepEqual({ ...(await listed(page)), address: "" }, left, "on coming back");
  });
  await visit(browser, shared.url, {}, async (page) => {
    await pause(page);
    assert.deepEqual({ ...(await listed(page)), url: page.url() }, shared, "in another browser");
    assert.equal(await field(page, "Text").inputValue(), "gift");
    assert.equal(await field(page, "From").inputValue(), "2026-11-21");
    assert.equal(await field(page, "Result").inputValue(), "completed");
  });
  // What is no date is no filter.
  await visit(browser, `${site + PATH}?from=garbage&to=2026-13-45`, {}, async (page) => {
    await pause(page);
    const seen = await listed(page);
    assert.deepEqual([seen.runs.length, seen.said, seen.address], [12, "", ""]);
  });
  // A filter by what is not there today is kept, and not taken for no filter.
  await visit(browser, `${site + PATH}?status=stuck&entity=%3Cb%3E`, {}, async (page) => {
    await pause(page);
    const seen = await listed(page);
    assert.deepEqual(seen.runs, []);
    assert.equal(seen.said, "0 of 12 runs match");
    assert.equal(await field(page, "Result").inputValue(), "stuck");
  });
  // Where the address must not be changed, the part after "#" is.
  await visit(browser, site + PATH, {}, async (page) => {
    await page.evaluate(() => {
      History.prototype.replaceState = () => {
        throw new DOMException("not for files", "SecurityError");
      };
    });
    await field(page, "Result").selectOption("failed");
    await pause(page);
    assert.equal((await listed(page)).address, "#?status=failed");
  });
  await visit(browser, `${site + PATH}#?status=failed`, {}, async (page) => {
    assert.deepEqual((await listed(page)).runs, ["3", "31"]);
  });
}

/** A new build came into the page: the filter holds, and nobody who types is disturbed. */
async function goesOn(browser) {
  await visit(browser, web + PATH, {}, async (page) => {
    await field(page, "Text").pressSequentially("gift ");
    await field(page, "Result").selectOption("completed");
    await field(page, "Text").focus();
    await pause(page);
    const before = await listed(page);
    assert.deepEqual(before.runs, ["40"]);
    const fresh = await (await page.request.get(web + PATH)).text();
    const replace = ([fresh, whole]) => {
      const read = new DOMParser().parseFromString(fresh, "text/html");
      if (whole) document.querySelector("main").replaceWith(read.querySelector("main"));
      else for (const row of document.querySelectorAll("form, [data-result]")) row.hidden = row.matches("form");
      document.dispatchEvent(new Event("syncmon:replaced"));
    };
    await page.evaluate(replace, [fresh, false]);
    await field(page, "Text").pressSequentially("c");
    assert.equal(await field(page, "Text").inputValue(), "gift c", "it goes on where it was");
    assert.deepEqual((await listed(page)).runs, ["40"]);
    await page.evaluate(replace, [fresh, true]);
    await pause(page);
    assert.deepEqual({ ...(await listed(page)), address: "" }, { ...before, address: "" });
    assert.equal(await field(page, "Text").inputValue(), "gift c");
    await page.getByRole("button", { name: "Show all" }).click();
    assert.equal((await listed(page)).runs.length, 12);
  });
}

/** Everything can be found without the script, by links alone. */
async function withoutScript(browser, site) {
  await visit(browser, `${site}index.html`, { javaScriptEnabled: false }, async (page) => {
    await page.getByRole("link", { name: "History" }).click();
    assert.equal(await page.locator("form").isVisible(), false);
    assert.equal(await page.locator("[data-result]").count(), 12);
    await page.getByRole("link", { name: "failed (2)" }).click();
    assert.equal(await page.locator("[data-result]").count(), 2);
    await page.getByRole("link", { name: "Sat 21 Nov" }).click();
    assert.equal(await page.locator("h1").innerText(), "Runs of Saturday 21 November 2026");
    assert.equal(await page.locator("[data-result]").count(), 1);
    await page.locator("nav").getByRole("link", { name: "Customers" }).click();
    assert.equal(await page.locator("[data-result]").count(), 3);
    assert.equal(await page.locator("[aria-current=page]").innerText(), "Customers");
    await page.getByRole("link", { name: "The page of Customers" }).click();
    await page.getByRole("link", { name: "All runs of the last 7 days" }).click();
    assert.equal(await page.locator("h1").innerText(), "Runs of Customers");
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download as CSV (3 rows)" }).click();
    const download = await downloading;
    // From the disk a browser keeps the name that the file has there.
    const name = site.startsWith("file:") ? "customers.csv" : "entities-customers-read-2026-11-22-1205.csv";
    assert.equal(download.suggestedFilename(), name);
    await page.getByRole("link", { name: "Craft Contemporary" }).click();
    assert.ok(page.url().endsWith("/site/index.html") || page.url() === `${site}index.html`, page.url());
  });
}

/** Past its time the page says so, and its icon makes no claim before. */
async function growsOld(browser) {
  await visit(browser, file + PATH, {}, async (page) => {
    const icon = () => page.locator("link[rel=icon]").getAttribute("href");
    assert.match(await icon(), /\/history\.svg$/);
    assert.equal(await page.locator(".stale").isVisible(), false);
    await wait(page, T + 15 * 60 * SECOND + 1);
    assert.match(await page.locator(".stale").innerText(), /^This page is out of date\./);
    assert.match(await icon(), /\/grey\.svg$/);
  });
}

/** Of 5,000 runs: each is looked at a few times, all are laid out once, and of those only what is near the reader's view. */
async function worksLittle(browser) {
  const page = await browser.newPage();
  await page.goto(large + PATH);
  assert.equal(await page.locator("[data-result]").count(), 5000);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  await devtools.send("Profiler.enable");
  await devtools.send("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const worked = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    const [layouts, styles, time] = ["LayoutCount", "RecalcStyleCount", "TaskDuration"].map(
      (wanted) => metrics.find(({ name }) => name === wanted).value,
    );
    // How often each block of the script was executed since this was asked before.
    const { result } = await devtools.send("Profiler.takePreciseCoverage");
    const ours = result.filter(({ url }) => url.endsWith("/history.js")).flatMap(({ functions }) => functions);
    const steps = ours.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0);
    return { layouts, styles, steps, time };
  };
  const times = [];
  for (const words of ["sales", "", "incremental sales", "nothing of the kind", "s", "inventory"]) {
    const before = await worked();
    await page.evaluate((words) => {
      document.querySelector("[name=q]").value = words;
      document.querySelector("[name=q]").dispatchEvent(new Event("input", { bubbles: true }));
      document.documentElement.getBoundingClientRect();
    }, words);
    const { layouts, styles, steps, time } = await worked();
    times.push((1000 * (time - before.time)).toFixed(1));
    // Without words there is nothing to look for.
    assert.ok((steps > 5000 || !words) && steps < 30 * 5000, `${steps} steps for "${words}"`);
    // The page's own clock may count a second in between.
    assert.ok(layouts - before.layouts < 10, `${layouts - before.layouts} layouts for "${words}"`);
    assert.ok(styles - before.styles < 10, `${styles - before.styles} recalculations of style for "${words}"`);
    // A picture is taken of a frame that has been drawn.
    await page.screenshot({ clip: { x: 0, y: 0, width: 1, height: 1 } });
    const laidOut = await page.evaluate(() => {
      const rows = [...document.querySelectorAll("[data-result]")];
      return rows.filter((row) => row.checkVisibility({ contentVisibilityAuto: true })).length;
    });
    if (words) assert.ok(laidOut <= 500, `${laidOut} rows are laid out for "${words}"`);
  }
  console.log(`filtering 5,000 runs: ${times.join(", ")} ms`);
}

/** What is not listed was not looked through: nobody is told that it does not match. */
async function ownsUpToWhatItDoesNotList(browser) {
  await visit(browser, large + PATH, {}, async (page) => {
    await field(page, "Text").fill("nothing of the kind");
    await pause(page);
    const { said, days } = await listed(page);
    assert.equal(said, "0 of the 5,000 runs listed here match; 400 more of these days are on the pages of the days and syncs");
    assert.deepEqual(days, ["2026-11-21"], "the way to its page stays");
    assert.deepEqual(await tallies(page), ["0 of 650 runs listed here; 400 more on the page of the day"]);
    await field(page, "From").fill("2026-11-22");
    await field(page, "Text").fill("sales");
    await pause(page);
    assert.equal((await listed(page)).said, "725 of 5,000 runs match");
  });
}

run(async (browser) => {
  await ownsUpToWhatItDoesNotList(browser);
  for (const site of [file, web]) {
    await filters(browser, site);
    await shares(browser, site);
    await withoutScript(browser, site);
  }
  await goesOn(browser);
  await growsOld(browser);
  await worksLittle(browser);
});
