// Mozilla's HTTP Observatory grades a site: node observatory.mjs HOST AUTHORIZATION
//
// It is asked as from outside, at ports 80 and 443; AUTHORIZATION, if it is not empty, goes along with every
// request. Prints status, grade, score and the results.

import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { installed } from "./browser.mjs";

const [host, authorization] = process.argv.slice(2);
const observatory = installed("@mdn/mdn-http-observatory");

// Its install script would fetch these lists: of names that browsers know to be HTTPS only, and of the endings that
// names may have. Ours is on no such list.
for (const [name, list] of [["hsts-preload.json", {}], ["tld-list.json", ["org"]]]) {
  const path = join(observatory, "conf", name);
  if (!existsSync(path)) writeFileSync(path, JSON.stringify(list));
}

const from = createRequire(join(observatory, "package.json"));
const load = (path) => import(pathToFileURL(path));
if (authorization) {
  const { default: axios } = await load(join(dirname(from.resolve("axios/package.json")), "index.js"));
  axios.defaults.headers.common.Authorization = authorization;
}
const { scan } = await load(from.resolve("./src/scanner/index.js"));
const { scan: result, tests } = await scan(host);
const results = Object.entries(tests).map(([name, { result: said, scoreModifier }]) => `${name}: ${said} ${scoreModifier}`);
console.log(JSON.stringify({ status: result.statusCode, grade: result.grade, score: result.score, results }));
