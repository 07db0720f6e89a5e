// On paper nothing is cut off, and the verdict is on the first sheet: node print.mjs SITE_URL PAGES_JSON
//
// What is on paper is read from the PDF that the browser prints to; what has to be there, from the page.

import { execFileSync } from "node:child_process";
import { assert, runInBoth, visit } from "./browser.mjs";

const [site, pages] = process.argv.slice(2);
const expected = {};

runInBoth(async (browser, name) => {
  for (const path of JSON.parse(pages))
    await visit(browser, site + path, {}, async (page) => {
      // Only Chromium can be told to show on the screen what it would print. It is the first of both.
      expected[path] ??= await forPaper(page);
      const { verdict, lines } = expected[path];
      const sheets = sheetsOf(await page.pdf({ format: "Letter" }));
      const cut = lines.filter((line) => !sheets.join("").includes(squeezed(line)));
      assert.deepEqual(cut, [], `${path}, printed by ${name}`);
      assert.ok(sheets[0].includes(squeezed(verdict)), `${path}, printed by ${name}, begins with ${sheets[0]}`);
      assert.ok(lines.length > 10, `${path} has only ${lines}`);
    });
});

/** The verdict, and every line of text that is meant to be printed. */
async function forPaper(page) {
  await page.emulateMedia({ media: "print" });
  const shown = await page.evaluate(() => {
    for (const unseen of document.querySelectorAll(".unseen")) unseen.remove();
    return { verdict: document.querySelector("h1").innerText, text: document.body.innerText };
  });
  await page.emulateMedia({ media: null });
  return { verdict: shown.verdict, lines: shown.text.split(/[\n\t]+/).filter((line) => line.trim()) };
}

function sheetsOf(pdf) {
  const text = execFileSync("pdftotext", ["-raw", "-", "-"], { input: pdf, encoding: "utf8" });
  return text.split("\f").map(squeezed);
}

/** Where a line ends is up to the paper. */
const squeezed = (text) => text.normalize("NFKC").replace(/\s+/g, "");
