// Small screens and large letters: node reflow.mjs WORLDS_JSON
//
// On 320 pixels, with letters of twice the size, and with both, no page is wider than the screen but
// for what scrolls by itself, no text is cut off and no text lies on another.

import { NARROW, tour } from "./tour.mjs";

const LETTERS = { standard: 16, fixed: 13 };
const TWICE = { standard: 32, fixed: 26 };

tour([NARROW], async (page, wrong) => {
  const devtools = await page.context().newCDPSession(page);
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  const letters = () => page.evaluate(() => getComputedStyle(document.querySelector("main p")).fontSize);
  await devtools.send("Page.setFontSizes", { fontSizes: LETTERS });
  const usual = await letters();
  for (const [width, fontSizes] of [[320, LETTERS], [320, TWICE], [640, TWICE], [1280, TWICE]]) {
    await page.setViewportSize({ width, height: 800 });
    await devtools.send("Page.setFontSizes", { fontSizes });
    if (fontSizes === TWICE && parseFloat(await letters()) !== 2 * parseFloat(usual))
      wrong(`letters are ${await letters()} where the reader wants twice ${usual}`);
    for (const what of await page.evaluate(crowding)) wrong(`${what}, ${width} px, letters of ${fontSizes.standard}`);
  }
  await devtools.detach();
});

function crowding() {
  const found = new Set();
  const kind = (element) => [element.localName, ...element.classList].join(".");
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
  // For screen readers only, always or where there is little room.
  const unseen = (element) => element && (getComputedStyle(element).clipPath === "inset(50%)" || unseen(element.parentElement));
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) found.add(`the page is ${wide} wide`);

  const boxes = [];
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const element = nodes.currentNode.parentElement;
    if (!nodes.currentNode.data.trim() || unseen(element) || !element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(nodes.currentNode);
    const rectangles = [...range.getClientRects()].filter(({ width, height }) => width > 1 && height > 1);
    let holder = element;
    while (holder && !scrolls(holder)) {
      const { overflowX, overflowY } = getComputedStyle(holder);
      const box = holder.getBoundingClientRect();
      for (const { left, right, top, bottom } of rectangles) {
        if (overflowX !== "visible" && (left < box.left - 1 || right > box.right + 1)) found.add(`cut off in ${kind(holder)}`);
        if (overflowY !== "visible" && (top < box.top - 1 || bottom > box.bottom + 1)) found.add(`cut off in ${kind(holder)}`);
        if (!holder.parentElement && (left < 0 || right > innerWidth + 1)) found.add(`beside the screen: ${kind(element)}`);
      }
      holder = holder.parentElement;
    }
    // What scrolls shows only a part of its text at a time.
    if (!holder) for (const { left, right, top, bottom } of rectangles) boxes.push({ left, right, top, bottom, element });
  }
  boxes.sort((a, b) => a.top - b.top);
  boxes.forEach((box, index) => {
    for (let next = index + 1; next < boxes.length && boxes[next].top < box.bottom; next += 1) {
      const other = boxes[next];
      const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const down = Math.min(box.bottom, other.bottom) - other.top;
      if (across > 2 && down > 0.3 * Math.min(box.bottom - box.top, other.bottom - other.top))
        found.add(`${kind(other.element)} lies on ${kind(box.element)}`);
    }
  });
  return [...found];
}
