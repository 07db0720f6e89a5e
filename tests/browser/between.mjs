// Between a browser and the web server: whoever comes this way has given the password already.

import { createServer, request } from "node:http";

const authorization = `Basic ${btoa("cfo:long random password")}`;

/** A server in front of `site` that calls `noticed(path, answer)` for each request, and waits for it; its `url` and its `end`. */
export async function between(site, noticed = () => {}) {
  const { hostname: host, port } = new URL(site);
  const server = createServer(async (from, to) => {
    await noticed(from.url, to);
    const { method, url: path, headers } = from;
    const onward = request({ host, port, method, path, headers: { ...headers, authorization } }, (answer) => {
      to.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(to);
    });
    from.pipe(onward);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const end = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, end };
}
