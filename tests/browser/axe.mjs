// No violation of any impact: node axe.mjs WORLDS_JSON
//
// All rules of axe-core up to WCAG 2.2 AA and its best practices. Of colours contrast.mjs judges more strictly.

import { readFileSync } from "node:fs";
import { installed } from "./browser.mjs";
import { DARK, LIGHT, NARROW, NARROW_DARK, isWhole, tour } from "./tour.mjs";

const axe = readFileSync(installed("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// Colours depend on the scheme and what there is of a page on the width, so that two of the four
// combinations meet everything once.
const whole = isWhole("axe");
const readers = whole ? [LIGHT, DARK, NARROW, NARROW_DARK] : [LIGHT, NARROW_DARK];

tour(readers, async (page, wrong) => {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(
    ([values, enabled]) => {
      const rules = { "color-contrast": { enabled } };
      return axe.run(document, { runOnly: { type: "tag", values }, rules, resultTypes: ["violations"], preload: false });
    },
    [RULES, whole],
  );
  if (passes.length < 20) wrong(`only ${passes.length} rules passed`);
  for (const { id, impact, help, nodes } of violations)
    wrong(`${id} (${impact}): ${help}, for example ${nodes[0].html.slice(0, 300)} ${nodes[0].failureSummary ?? ""}`);
});
