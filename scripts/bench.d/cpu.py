# SPDX-License-Identifier: LGPL-2.1-or-later
"""cpu.py PORT: the standard library's server, of one thread, that computes before it answers."""
import hashlib
import http.server
import sys

ANSWER = b"x" * 100


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        digest = b""
        for _ in range(3000):
            digest = hashlib.sha256(digest).digest()
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


class Server(http.server.HTTPServer):
    request_queue_size = 1024


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
