// A site's own look: node own_look.mjs FILE_URL WEB_URL ACCENT
//
// The site has a logo of 80 x 32 pixels that is painted in one colour, an accent, and a footer with two links.

import { assert, run, visit } from "./browser.mjs";

const [disk, web, accent] = process.argv.slice(2);

run(async (browser) => {
  for (const url of [`${disk}index.html`, `${web}index.html`, `${web}entities/inventory.html`])
    for (const [colorScheme, width] of [["light", 320], ["dark", 1000]])
      await visit(browser, url, { colorScheme, viewport: { width, height: 800 } }, (tab) => look(tab, colorScheme));
});

async function look(tab, scheme) {
  const { logo, title, contrast, rule, links, wide } = await tab.evaluate(async () => {
    const image = document.querySelector("header .logo");
    await image.decode();
    const { width, height } = image.getBoundingClientRect();
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 80, height: 32 });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0, 80, 32);
    let corner = "not to be seen on pages from the disk";
    if (location.protocol !== "file:") corner = [...pen.getImageData(77, 29, 1, 1).data];
    const luminance = (colour) => {
      const [red, green, blue] = colour.match(/\d+/g).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const title = getComputedStyle(document.querySelector(".title")).color;
    const paper = getComputedStyle(document.body).backgroundColor;
    const [dark, light] = [title, paper].map(luminance).sort((a, b) => a - b);
    return {
      logo: { width, height, corner },
      title,
      contrast: (light + 0.05) / (dark + 0.05),
      rule: getComputedStyle(document.body).borderTopColor,
      links: [...document.querySelectorAll("footer .own a")].map((link) => link.href),
      wide: document.documentElement.scrollWidth - innerWidth,
    };
  });
  assert.deepEqual([logo.width, logo.height], [80, 32]);
  if (Array.isArray(logo.corner)) {
    const [red, green, blue, alpha] = logo.corner;
    assert.ok(alpha > 100 && red > green + 40 && red > blue + 20, `the logo is painted: ${logo.corner}`);
  }
  assert.ok(contrast >= 4.5, `${accent} in ${scheme}: ${title} has ${contrast}`);
  assert.equal(rule, title);
  assert.deepEqual(links, ["mailto:data@example.org", "https://example.org/wiki"]);
  assert.ok(wide <= 0, `${wide} wider than the screen`);
}
