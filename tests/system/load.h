/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients that ask a server over and over, while it is restarted. */
#ifndef TESTS_SYSTEM_LOAD_H
#define TESTS_SYSTEM_LOAD_H

#include "harness.h"

/* Asks the server at 127.0.0.1 until it answers; returns the number that its answer starts with. */
int answering(int port);

struct outcome {
	int answered;
	int refused;	     /* nobody listened */
	int cut_off;	     /* connected, and got no whole answer */
	int hung;	     /* connected, and got nothing for 30 s */
	char *cut_off_ports; /* of the clients that were, " 4711 4712" */
};

/* Starts CLIENTS that connect, ask and read in a loop, and waits until they do. */
struct process *load_start(int port, int clients);

/* The same in another PROTOCOL, see programs/clients.py. */
struct process *load_start_in(const char *protocol, int port, int clients);

/* Lets each client finish what it has begun, and returns their results. */
struct outcome load_stop(struct process *load);

/* How many restarts a test makes: FEW, or a hundred with LIBREUSE_LONG=1. */
int restarts(int few);

#endif
