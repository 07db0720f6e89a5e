// Texts that are written from right to left stay where they belong: node directions.mjs WORLDS_JSON
//
// In every line that a reader sees the texts stand in the order in which they are written down, and
// the letters of each text that goes from left to right do as well, whatever stands beside it.

import { LIGHT, NARROW, isWhole, tour } from "./tour.mjs";

tour([LIGHT, NARROW], async (page, wrong, { world, path }) => {
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  const { foreign, found } = await page.evaluate(rearranged);
  for (const what of found) wrong(what);
  // In full, there are pages about entities without such a name.
  const expected = path === "index.html" || !isWhole("directions") || (await page.evaluate(() => /[\u0590-\u08ff]/.test(document.body.textContent)));
  if (world.name === "crowded" && expected && foreign === 0) wrong("nothing on it is written from right to left");
});

function rearranged() {
  const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;
  const ISOLATED = /[\u2066-\u2068][^\u2069]*\u2069/g;
  const kind = (element) => [element.localName, ...element.classList].join(".");
  const found = new Set();
  let foreign = 0;

  // Titles and labels have no elements in which a text could stand apart: it takes marks in the text.
  const plain = [
    ["the title", document.title],
    ...[...document.querySelectorAll("[aria-label], [title]")].map((element) => [`a label of ${kind(element)}`, element.ariaLabel ?? element.title]),
  ];
  for (const [what, text] of plain) if (RIGHT_TO_LEFT.test(text.replace(ISOLATED, ""))) found.add(`${what} is not set apart`);

  const pieces = [];
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const node = nodes.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("svg, .unseen") || !element.checkVisibility()) continue;
    // What is isolated within a text is a piece of its own.
    const cuts = [0, node.length];
    for (const { 0: inside, index } of node.data.matchAll(ISOLATED)) cuts.push(index, index + inside.length);
    cuts.sort((a, b) => a - b);
    for (let part = 1; part < cuts.length; part += 1)
      if (node.data.slice(cuts[part - 1], cuts[part]).trim()) pieces.push({ node, element, from: cuts[part - 1], to: cuts[part] });
  }
  const block = (element) => {
    while (getComputedStyle(element).display === "inline") element = element.parentElement;
    return element;
  };
  const rectangle = (node, from, to) => {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    return [...range.getClientRects()].filter(({ width }) => width > 0);
  };
  const middle = ({ top, bottom }) => (top + bottom) / 2;
  const sameLine = (one, other) => Math.abs(middle(one) - middle(other)) < (one.bottom - one.top) / 2;
  const apart = (element) => {
    const { display, unicodeBidi } = getComputedStyle(element);
    if (display !== "inline") return element.dir === "auto" || unicodeBidi === "plaintext";
    return /isolate|plaintext/.test(unicodeBidi) || apart(element.parentElement);
  };
  for (const { node, element, from, to } of pieces) {
    const text = node.data.slice(from, to);
    if (RIGHT_TO_LEFT.test(text)) {
      foreign += 1;
      if (!apart(element) && RIGHT_TO_LEFT.test(text.replace(ISOLATED, ""))) found.add(`a text in ${kind(element)} is not set apart`);
      continue;
    }
    // A text of thousands of letters is as its beginning is.
    let before;
    for (let index = from; index < Math.min(to, from + 200); index += 1) {
      if (!/\p{Letter}|\p{Number}|\p{Punctuation}/u.test(node.data[index])) continue;
      const [box] = rectangle(node, index, index + 1);
      if (!box) continue;
      if (before && sameLine(before, box) && box.left < before.left)
        found.add(`letters change places in ${kind(element)}: ${text.slice(0, 40)}`);
      before = box;
    }
  }
  pieces.forEach((piece, index) => {
    const next = pieces[index + 1];
    if (!next || block(piece.element) !== block(next.element)) return;
    const end = rectangle(piece.node, piece.from, piece.to).at(-1);
    const [start] = rectangle(next.node, next.from, next.to);
    if (!end || !start || !sameLine(end, start)) return;
    if (start.left < end.right - 1) found.add(`${kind(next.element)} stands before ${kind(piece.element)}, which it follows`);
  });
  return { foreign, found: [...found] };
}
