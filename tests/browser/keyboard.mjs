// With nothing but the keyboard: node keyboard.mjs WORLDS_JSON
//
// The tab key reaches every link, button, field, summary and scrolling region in the order in which
// they are read, shows where it is, and comes out at the end.

import { DARK, LIGHT, NARROW, isWhole, tour } from "./tour.mjs";

const readers = isWhole("keyboard") ? [LIGHT, DARK, NARROW] : [DARK, NARROW];
const AROUND = 6;
/** A field for a date has a stop for each of its parts. */
const PARTS = 6;

tour(readers, async (page, wrong) => {
  await page.evaluate(prepare);
  const kinds = new Set();
  const reached = [];
  let parts = 0;
  for (;;) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => window.stop.here());
    if (!stop) break;
    parts = stop.number === reached.at(-1) ? parts + 1 : 0;
    if (parts && parts < PARTS && stop.kind === "input") continue;
    const { number, kind, folded, hidden } = stop;
    // A browser without a frame around it may go on at the beginning; what was left out is found below.
    if (number === reached[0]) break;
    if (reached.includes(number)) {
      wrong(`${kind} is reached twice: a trap`);
      break;
    }
    reached.push(number);
    if (hidden) wrong(`${kind} has the focus and lies under ${hidden} or outside of the screen`);
    if (!kinds.has(kind)) {
      kinds.add(kind);
      if (!(await showsFocus(page))) wrong(`${kind} looks the same with and without the focus`);
    }
    if (folded) {
      await page.keyboard.press("Enter");
      if (!(await page.evaluate(() => window.stop.unfolded()))) wrong(`${kind} does not open with Enter`);
    }
  }
  for (const what of await page.evaluate((numbers) => window.stop.compared(numbers), reached)) wrong(what);

  // And back again.
  let before;
  for (const number of reached.toReversed().slice(0, 20)) {
    let stop;
    // Once around the browser's own frame, if it has one, and through all parts of a field.
    for (let pressed = 0; pressed < PARTS && (stop?.number ?? before) === before; pressed += 1) {
      await page.keyboard.press("Shift+Tab");
      stop = await page.evaluate(() => window.stop.here());
    }
    before = number;
    if (stop?.number !== number) wrong(`backwards the keyboard comes to ${stop?.kind ?? "the end"} instead of where it came from`);
  }
});

/** Whether the surroundings of what has the focus look otherwise without it. */
async function showsFocus(page) {
  const { left, top, right, bottom } = await page.evaluate(() => window.stop.box());
  const size = page.viewportSize();
  const x = Math.max(0, left - AROUND);
  const y = Math.max(0, top - AROUND);
  const clip = { x, y, width: Math.min(size.width, right + AROUND) - x, height: Math.min(size.height, bottom + AROUND) - y };
  if (clip.width <= 0 || clip.height <= 0) return false;
  const focused = await page.screenshot({ clip });
  await page.evaluate(() => window.stop.away());
  const without = await page.screenshot({ clip });
  await page.evaluate(() => window.stop.back());
  return !focused.equals(without);
}

function prepare() {
  const kind = (element) => [element.localName, ...element.classList].join(".");
  const everything = [...document.querySelectorAll("*")];
  const numbered = new Map(everything.map((element, number) => [element, number]));
  let last = null;
  const overflows = (element) => {
    const { overflowX, overflowY } = getComputedStyle(element);
    return (
      (/auto|scroll/.test(overflowX) && element.scrollWidth > element.clientWidth) ||
      (/auto|scroll/.test(overflowY) && element.scrollHeight > element.clientHeight)
    );
  };
  window.stop = {
    here() {
      last = document.activeElement;
      if (!last || last === document.body || last === document.documentElement) return null;
      const box = last.getBoundingClientRect();
      const [x, y] = [(Math.max(0, box.left) + Math.min(innerWidth, box.right)) / 2, (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2];
      // The middle of a link that goes over two lines may lie beside it.
      const part = [...last.getClientRects()].find(({ top, bottom }) => top >= 0 && bottom <= innerHeight);
      const seen = [document.elementFromPoint(x, y), part && document.elementFromPoint((part.left + part.right) / 2, (part.top + part.bottom) / 2)];
      const covered = !seen.some((element) => element && (last.contains(element) || element.contains(last)));
      return {
        number: numbered.get(last),
        kind: kind(last),
        folded: last.localName === "summary" && !last.parentElement.open,
        hidden: covered ? (seen[0] ? kind(seen[0]) : "nothing") : null,
      };
    },
    unfolded: () => last.parentElement.open,
    box: () => last.getBoundingClientRect().toJSON(),
    away: () => last.blur(),
    back: () => last.focus({ preventScroll: true, focusVisible: true }),
    compared(numbers) {
      const wanted = everything.filter(
        (element) =>
          element.checkVisibility({ visibilityProperty: true }) &&
          (element.matches("a[href], button:enabled, input:enabled:not([type=hidden]), select:enabled, textarea:enabled, summary, [tabindex='0']") ||
            (overflows(element) && !element.matches("html, body"))),
      );
      const found = [];
      const reached = numbers.map((number) => everything[number]);
      for (const element of wanted) if (!reached.includes(element)) found.push(`the keyboard does not come to ${kind(element)}`);
      if (wanted.length === 0) found.push("there is nothing to come to");
      if (numbers.some((number, index) => index > 0 && number < numbers[index - 1])) found.push("the keyboard jumps back in the page");
      // As read: from the top down, in a line from the left.
      const boxes = reached.map((element) => element.getBoundingClientRect());
      boxes.forEach((box, index) => {
        const before = boxes[index - 1];
        if (before && box.bottom <= before.top) found.push(`the keyboard goes up to ${kind(reached[index])}`);
      });
      return [...new Set(found)];
    },
  };
}
