// Green, yellow and red without colour: node shapes.mjs WORLDS_JSON
//
// As readers with each kind of colour blindness see them, and on grey paper: the icons differ in
// shape, the words differ, and in a strip of bars what is worse is taller.

import { assert, run, visit } from "./browser.mjs";

const SIGHTS = ["none", "deuteranopia", "protanopia", "tritanopia", "achromatopsia"];
const HEALTHS = ["green", "yellow", "red"];
const PAIRS = [["green", "yellow"], ["green", "red"], ["yellow", "red"]];
const [world] = JSON.parse(process.argv[2]);

run(async (browser) => {
  const painter = await (await browser.newContext()).newPage();
  for (const colorScheme of ["light", "dark"]) {
    const reader = { clock: Date.parse(world.at), timers: true, colorScheme, deviceScaleFactor: 2 };
    await visit(browser, `${world.site}index.html`, reader, async (page) => {
      await wordsDiffer(page);
      const devtools = await page.context().newCDPSession(page);
      for (const [media, type] of [...SIGHTS.map((sight) => ["screen", sight]), ["print", "achromatopsia"]]) {
        await page.emulateMedia({ media, colorScheme });
        await devtools.send("Emulation.setEmulatedVisionDeficiency", { type });
        const picture = await pictured(page, painter);
        const when = `${media}, ${colorScheme}, ${type}`;
        iconsDiffer(picture, when);
        if (type === "achromatopsia") heightsDiffer(picture, when);
        if (type === "none") await worseIsTaller(page, picture, when);
      }
    });
  }
});

/** The first icon of each health and all strips as the reader sees them. */
async function pictured(page, painter) {
  const boxes = await page.evaluate((healths) => {
    const box = (element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + scrollX, y: y + scrollY, width, height };
    };
    const icons = healths.map((health) => document.querySelector(`tbody[data-health=${health}] .row .icon`));
    return [...icons, ...document.querySelectorAll("tbody .strip")].map(box);
  }, HEALTHS);
  const screenshot = (await page.screenshot({ fullPage: true })).toString("base64");
  // As text, because lists of numbers are slow to hand over.
  const pieces = (await painter.evaluate(cutOut, { screenshot, boxes, scale: 2 })).map(coloured);
  return { icons: Object.fromEntries(HEALTHS.map((health, index) => [health, pieces[index]])), strips: pieces.slice(HEALTHS.length) };
}

/** Pieces of a picture. */
async function cutOut({ screenshot, boxes, scale }) {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${screenshot}`)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d", { willReadFrequently: true });
  canvas.drawImage(picture, 0, 0);
  return boxes.map((box) => {
    const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((value) => Math.round(value * scale));
    return { width, height, data: canvas.getImageData(x, y, width, height).data.join() };
  });
}

/** The colours of a piece, line by line, and the one it is drawn on: the commonest of the first line. */
function coloured({ width, height, data }) {
  const values = data.split(",").map(Number);
  const colours = Array.from({ length: width * height }, (_, index) => values.slice(4 * index, 4 * index + 3));
  const counted = new Map();
  for (const colour of colours.slice(0, width)) counted.set(`${colour}`, (counted.get(`${colour}`) ?? 0) + 1);
  const [ground] = [...counted].sort(([, a], [, b]) => b - a)[0];
  return { width, height, colours, ground: ground.split(",").map(Number) };
}

const distance = (one, other) => Math.hypot(...one.map((value, index) => value - other[index]));
const brightness = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

async function wordsDiffer(page) {
  const words = {};
  for (const health of HEALTHS) {
    words[health] = await page.locator(`tbody[data-health=${health}] .word`).allInnerTexts();
    assert.ok(words[health].length > 0, `no row is ${health}`);
  }
  for (const [one, other] of PAIRS)
    assert.ok(!words[one].some((word) => words[other].includes(word)), `${one} and ${other} share a word: ${words[one]}, ${words[other]}`);
}

/** Of what two icons cover, a good part is covered by only one of them. */
function iconsDiffer({ icons }, when) {
  const inked = {};
  for (const health of HEALTHS) {
    const { colours, ground } = icons[health];
    inked[health] = colours.map((colour) => Math.abs(brightness(colour) - brightness(ground)) > 40);
  }
  for (const [one, other] of PAIRS) {
    const either = inked[one].filter((covered, index) => covered || inked[other][index]).length;
    const single = inked[one].filter((covered, index) => covered !== inked[other][index]).length;
    assert.ok(single > 0.15 * either, `of ${either} dots the icons ${one} and ${other} differ in ${single}, ${when}`);
  }
}

/** All strips, column by column: the height of the bar there and the colour at its foot. */
function columns({ strips }) {
  const found = [];
  for (const { width, height, colours, ground } of strips) {
    for (let x = 0; x < width; x += 1) {
      const column = Array.from({ length: height }, (_, y) => colours[y * width + x]);
      const tall = column.filter((colour) => distance(colour, ground) > 12).length;
      if (tall > 0) found.push({ tall, colour: column[Math.floor(height - 0.5 * Math.min(tall, 8))] });
    }
  }
  return found;
}

function heightsDiffer(picture, when) {
  const heights = new Set(columns(picture).map(({ tall }) => tall));
  assert.ok(heights.size >= 3, `bars of ${heights.size} heights where there are all three, ${when}`);
}

/** Of the bars in the colours of the style sheet the worse are taller. */
async function worseIsTaller(page, picture, when) {
  const wanted = await page.evaluate((healths) => {
    const style = getComputedStyle(document.documentElement);
    return healths.map((health) => style.getPropertyValue(`--bar-${health}`).trim().match(/\w\w/g).map((pair) => parseInt(pair, 16)));
  }, HEALTHS);
  const bars = columns(picture);
  const [green, yellow, red] = wanted.map((colour) => bars.filter((bar) => distance(bar.colour, colour) < 8).map(({ tall }) => tall));
  assert.ok(green.length && yellow.length && red.length, `${green.length} green, ${yellow.length} yellow and ${red.length} red bars, ${when}`);
  assert.ok(Math.min(...yellow) >= 1.5 * Math.max(...green), `yellow bars of ${Math.min(...yellow)} beside green ones of ${Math.max(...green)}, ${when}`);
  assert.ok(Math.min(...red) >= 1.5 * Math.max(...yellow), `red bars of ${Math.min(...red)} beside yellow ones of ${Math.max(...yellow)}, ${when}`);
}
