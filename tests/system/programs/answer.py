#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""answer.py PORT: the standard library's server, as it comes; answers and closes."""
import socketserver
import sys


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"answer\n")


with socketserver.TCPServer(("127.0.0.1", int(sys.argv[1])), Handler) as server:
    server.serve_forever()
