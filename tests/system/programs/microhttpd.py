# SPDX-License-Identifier: LGPL-2.1-or-later
# microhttpd.py PORT: a server of libmicrohttpd, which answers with its process id, and is stopped as
# its manual describes, by MHD_stop_daemon().
import ctypes
import os
import signal
import sys

INTERNAL_POLLING_THREAD, OPTION_END, MUST_COPY, OK = 8, 0, 2, 200
library = ctypes.CDLL("libmicrohttpd.so.12")
pointer = ctypes.c_void_p
library.MHD_start_daemon.restype = pointer
library.MHD_create_response_from_buffer.restype = pointer
answer = b"%d\n" % os.getpid()


@ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p,
                  pointer, pointer, pointer)
def handle(_, connection, *__):
    response = pointer(library.MHD_create_response_from_buffer(
        ctypes.c_size_t(len(answer)), answer, MUST_COPY))
    queued = library.MHD_queue_response(pointer(connection), OK, response)
    library.MHD_destroy_response(response)
    return queued


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
daemon = library.MHD_start_daemon(INTERNAL_POLLING_THREAD, ctypes.c_uint16(int(sys.argv[1])), None,
                                  None, handle, None, OPTION_END)
if not daemon:
    sys.exit("it cannot start")
signal.sigwait([signal.SIGTERM])
library.MHD_stop_daemon(pointer(daemon))
