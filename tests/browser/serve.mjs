// One Chromium and one Firefox for all checks of a run of the tests: node serve.mjs FILE
//
// Writes to FILE what SYNCMON_TEST_BROWSERS says to the checks, and keeps the browsers until its input ends.

import { renameSync, writeFileSync } from "node:fs";
import { BROWSERS, kind } from "./browser.mjs";

const [file] = process.argv.slice(2);
const names = Object.keys(BROWSERS);
const servers = await Promise.all(names.map((name) => kind(name).launchServer(BROWSERS[name])));
const addresses = Object.fromEntries(names.map((name, index) => [name, servers[index].wsEndpoint()]));
writeFileSync(`${file}.new`, JSON.stringify(addresses));
renameSync(`${file}.new`, file);

for await (const _ of process.stdin);
for (const server of servers) await server.close();
