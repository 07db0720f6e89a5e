// Under the strictest policy: node policy.mjs WORLDS_JSON
//
// Each page comes from a server that sends a Content-Security-Policy. The browser reports no breach of
// it, asks for nothing from elsewhere (visit sees to that), and the script works all the same.

import { SECOND } from "./browser.mjs";
import { LIGHT, tour } from "./tour.mjs";

const STRICT = {
  "default-src": ["'none'"],
  "style-src": ["'self'"],
  "script-src": ["'self'"],
  "img-src": ["'self'"],
  "connect-src": ["'self'"],
  "base-uri": ["'none'"],
  "form-action": ["'none'", "'self'"],
  "frame-ancestors": ["'none'"],
};

tour([{ ...LIGHT, first: listen }], async (page, wrong, { world, path }) => {
  const policy = await page.evaluate(async () => (await fetch(location.href)).headers.get("content-security-policy") ?? "");
  const parts = Object.fromEntries(policy.split(";").map((part) => part.trim().split(/ (.*)/)));
  for (const [name, allowed] of Object.entries(STRICT)) if (!allowed.includes(parts[name])) wrong(`the policy says ${name} ${parts[name]}`);
  for (const name of Object.keys(parts)) if (!(name in STRICT)) wrong(`the policy has ${name} as well`);

  const until = await page.evaluate(() => document.body.dataset.validUntil);
  if (until) {
    await page.clock.setFixedTime(Number(until) + SECOND);
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    if (!(await page.title()).startsWith("Out of date")) wrong("the script does not work");
  }
  for (const breach of await page.evaluate(() => window.breaches)) wrong(`a breach of the policy: ${breach}`);
  if (await page.evaluate(() => document.querySelector("[style], style, script:not([src])"))) wrong("style or script stands in the page");
  if (path === world.pages[0] && !(await watches(page))) wrong("the browser does not keep to the policy");
});

function listen() {
  window.breaches = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    window.breaches.push(`${effectiveDirective} ${blockedURI}`);
  });
}

/** Whether a breach, committed in another tab with the same page, is prevented and reported. */
async function watches(page) {
  const tab = await page.context().newPage();
  await tab.addInitScript(listen);
  await tab.goto(page.url());
  const breaches = await tab.evaluate(async () => {
    const heading = document.querySelector("h1");
    heading.setAttribute("style", "color: red");
    const script = document.createElement("script");
    script.textContent = "window.breached = true";
    document.body.append(script);
    document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/elsewhere.png" }));
    await new Promise((reported) => setTimeout(reported, 50));
    if (getComputedStyle(heading).color === "rgb(255, 0, 0)" || window.breached) return [];
    return window.breaches.map((breach) => breach.split(" ")[0]);
  });
  await tab.close();
  return ["style-src-attr", "script-src-elem", "img-src"].every((kind) => breaches.includes(kind));
}
