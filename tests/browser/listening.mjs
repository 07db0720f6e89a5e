// What a screen reader is told: node listening.mjs WORLDS_JSON
//
// Asked of the browser's own accessibility tree, as wide and as narrow as the page gets.

import { LIGHT, NARROW, tour } from "./tour.mjs";

const NAMELESS = ["generic", "none", "LayoutTable", "StaticText", "InlineTextBox"];

tour([LIGHT, NARROW], async (page, wrong) => {
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  for (const what of await page.evaluate(headless)) wrong(what);

  // What lies far below the screen is laid out when somebody gets there; here all of it is, at once.
  await page.addStyleTag({ content: "* { content-visibility: visible !important; }" });
  const devtools = await page.context().newCDPSession(page);
  const { nodes } = await devtools.send("Accessibility.getFullAXTree");
  await devtools.detach();
  const told = nodes.filter((node) => !node.ignored).map((node) => ({
    role: node.role.value,
    name: (node.name?.value ?? "").trim(),
    focusable: node.properties?.some(({ name, value }) => name === "focusable" && value.value),
  }));
  const count = (...roles) => told.filter(({ role }) => roles.includes(role)).length;
  const written = await page.evaluate(() => {
    const visible = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility()).length;
    return {
      tables: visible("table"),
      columns: visible("th[scope=col]"),
      rows: visible("th[scope=row], th[scope=rowgroup]"),
      cells: visible("td"),
      pictures: visible("svg[role=img]"),
    };
  });
  const heard = {
    tables: count("table"),
    columns: count("columnheader"),
    rows: count("rowheader"),
    cells: count("cell", "gridcell"),
    pictures: count("image", "img"),
  };
  for (const what of Object.keys(written))
    if (heard[what] !== written[what]) wrong(`of ${written[what]} ${what} ${heard[what]} are told`);
  for (const { role, name } of told)
    if (["image", "img", "link", "button", "textbox", "searchbox", "combobox", "table", "heading"].includes(role) && !name) wrong(`a ${role} without a name`);
  for (const { role, name, focusable } of told)
    if (focusable && role !== "RootWebArea" && (NAMELESS.includes(role) || !name)) wrong(`something to stop at is a ${role} called "${name}"`);
});

/** Cells without both headers, by the rules of HTML, and pictures without words. */
function headless() {
  const found = new Set();
  for (const table of document.querySelectorAll("table")) {
    const grid = [...table.rows].map(() => []);
    [...table.rows].forEach((row, y) => {
      let x = 0;
      for (const cell of row.cells) {
        while (grid[y][x]) x += 1;
        for (let down = 0; down < cell.rowSpan; down += 1)
          for (let across = 0; across < cell.colSpan; across += 1) grid[y + down][x + across] = cell;
      }
    });
    const widths = new Set(grid.map((row) => row.length));
    if (widths.size !== 1) found.add(`a table with rows of ${[...widths]} cells`);
    grid.forEach((row, y) =>
      row.forEach((cell, x) => {
        if (cell.localName !== "td") return;
        const above = grid.slice(0, y).map((other) => other[x]);
        const group = cell.parentElement.parentElement;
        const named = (header) => header?.textContent.trim();
        const column = above.some((header) => header?.scope === "col" && named(header));
        const line =
          row.some((header) => /^row/.test(header.scope) && named(header)) ||
          [...group.querySelectorAll("th[scope=rowgroup]")].some((header) => named(header));
        const kind = `${cell.parentElement.className} ${cell.className} in a table ${table.className}`;
        if (!column) found.add(`a cell without a column header: ${kind}`);
        if (!line) found.add(`a cell without a row header: ${kind}`);
      }),
    );
    const { caption } = table;
    if (!(caption?.textContent.trim() || table.getAttribute("aria-label") || table.getAttribute("aria-labelledby")))
      found.add(`a table without a name: ${table.className}`);
  }
  for (const picture of document.querySelectorAll("svg")) {
    const words = picture.getAttribute("aria-label") || picture.querySelector(":scope > title")?.textContent || picture.getAttribute("aria-labelledby");
    if (picture.getAttribute("aria-hidden") !== "true" && !(picture.hasAttribute("role") && words)) found.add(`a picture without words: ${picture.outerHTML.slice(0, 200)}`);
  }
  return [...found];
}
