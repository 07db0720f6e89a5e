// Every text stands out at 4.5:1 and every icon at 3:1, on the screen and on paper: node contrast.mjs
// WORLDS_JSON
//
// Worked out from the styles of every single text, as a checker leaves out what it finds too hard.

import { LIGHT, tour } from "./tour.mjs";

const TEXT = 4.5;
const ICON = 3;

tour([LIGHT], async (page, wrong) => {
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  for (const media of ["screen", "print"])
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ media, colorScheme });
      const { texts, faint } = await page.evaluate(measured, { text: TEXT, icon: ICON, media });
      if (texts < 4) wrong(`only ${texts} texts, ${media} ${colorScheme}`);
      for (const what of faint) wrong(`${what}, ${media} ${colorScheme}`);
    }
});

function measured({ text, icon, media }) {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parsed = new Map();
  const parse = (colour) => {
    if (!parsed.has(colour)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      parsed.set(colour, { rgb: [red, green, blue], alpha: alpha / 255 });
    }
    return parsed.get(colour);
  };
  const over = ({ rgb, alpha }, below) => rgb.map((value, index) => value * alpha + below[index] * (1 - alpha));
  // Browsers print no backgrounds unless told to.
  const paper = [255, 255, 255];
  const behind = (element) => {
    if (!element || media === "print") return paper;
    const own = parse(getComputedStyle(element).backgroundColor);
    return own.alpha === 1 ? own.rgb : over(own, behind(element.parentElement));
  };
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (lighter + 0.05) / (darker + 0.05);
  };
  const opacity = (element) => (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1);
  const faint = new Set();
  const judge = (what, element, colour, least) => {
    const ground = behind(element);
    const { rgb, alpha } = parse(colour);
    const found = contrast(over({ rgb, alpha: alpha * opacity(element) }, ground), ground);
    if (found < least) faint.add(`${found.toFixed(2)}:1 for ${what}`);
  };

  let texts = 0;
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const element = nodes.currentNode.parentElement;
    const written = nodes.currentNode.data.trim();
    if (!written || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest("script, style, noscript, svg title, svg desc")) continue;
    texts += 1;
    const style = getComputedStyle(element);
    const kind = [element.localName, ...element.classList].join(".");
    judge(kind, element, element.closest("svg") ? style.fill : style.color, text);
  }
  for (const element of document.querySelectorAll("svg.icon"))
    if (element.checkVisibility()) judge(`the icon of ${element.parentElement.className}`, element, getComputedStyle(element).fill, icon);
  return { texts, faint: [...faint] };
}
