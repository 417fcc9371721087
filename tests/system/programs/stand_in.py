# SPDX-License-Identifier: LGPL-2.1-or-later
# stand_in.py [--log=FILE] [--admin=SOCKET]: the ./server of the manual's examples. Answers HTTP
# requests on port 8080, and on a Unix socket, with the address of the client.
import http.server
import socketserver
import sys
import threading

options = dict(word[2:].split("=", 1) for word in sys.argv[1:])
log = open(options.get("log", "/dev/null"), "a")


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        client = self.client_address[0] if self.client_address else "local"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{client}\n".encode())

    def log_message(self, form, *words):
        print(form % words, file=log, flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if "admin" in options:
    admin = socketserver.UnixStreamServer(options["admin"], Page)
    threading.Thread(target=admin.serve_forever, daemon=True).start()
Server(("", 8080), Page).serve_forever()
