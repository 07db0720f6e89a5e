"""A receiver of webhooks and pings, in a manner that a file says.

hooks.py FOLDER: every request is written to FOLDER/received, a line of JSON each, and answered as FOLDER/manner says:
with a status, or never. The port is printed. Run by the integration tests.
"""

import http.server
import json
import pathlib
import sys
import time

FOLDER = pathlib.Path(sys.argv[1])


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        manner = (FOLDER / "manner").read_text()
        line = {
            "manner": manner,
            "method": self.command,
            "path": self.path,
            "key": self.headers.get("Idempotency-Key"),
            "kind": self.headers.get("Content-Type"),
            "body": json.loads(body) if body else None,
        }
        with open(FOLDER / "received", "a") as received:
            received.write(json.dumps(line) + "\n")
        if manner == "hangs":
            time.sleep(600)
        self.send_response(int(manner))
        if manner == "302":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client):
        pass


server = Server(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
