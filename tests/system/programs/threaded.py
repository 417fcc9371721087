# SPDX-License-Identifier: LGPL-2.1-or-later
# threaded.py PORT: the standard library's server with a thread for each connection, as it comes;
# answers with its process id, 20 ms after it was asked.
import os
import socketserver
import sys
import time


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(100)
        time.sleep(0.02)
        self.request.sendall(b"%d\n" % os.getpid())


with socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler) as server:
    server.serve_forever()
