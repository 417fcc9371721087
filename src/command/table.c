/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include "command.h"
#include "policy/nearest.h"

#include <string.h>

#define IN(FIELD)      offsetof(struct command, FIELD)
#define OPTIONS(FIELD) offsetof(struct command, options.FIELD)

/* clang-format off */
const struct table_row table_rows[] = {
	{"-r", "--rule", "RULE", TABLE_RUN, TABLE_RULE, 0,
		"add a rule, as in 'tcp port=80 -> share'; may be repeated", NULL},
	{"-f", "--file", "FILE", TABLE_RUN, TABLE_FILE, 0,
		"read the rules from FILE", NULL},
	{"-a", "--addr", "ADDR", TABLE_RUN, TABLE_ADDRESS, 0,
		"bind to ADDR instead of what PROGRAM asks for, and share", NULL},
	{"-p", "--port", "[OLD:]NEW", TABLE_RUN, TABLE_PORT, 0,
		"bind to port NEW instead of the one that PROGRAM asks for, and share; OLD:NEW "
		"changes port OLD only; may be repeated", NULL},
	{NULL, "--steer", "MODE", TABLE_RUN, TABLE_STEER, 0,
		"choose which copy gets a client: hash, random, cpu, source, source/N, least or flow",
		"hash random cpu source least flow"},
	{"-q", "--quiet", NULL, TABLE_RUN, TABLE_QUIET, 0,
		"log errors only", NULL},
	{"-v", "--verbose", NULL, TABLE_RUN, TABLE_VERBOSE, 0,
		"log what libreuse does; twice: log everything", NULL},
	{NULL, "--hook", "HOOK", TABLE_RUN, TABLE_HOOK, OPTIONS(hook),
		"how libreuse sees PROGRAM's calls: auto, preload or notify; kernel: through what "
		"reuse-bpf has loaded; strict: kernel or notify if a rule protects, else auto",
		"auto preload notify kernel strict"},
	{NULL, "--no-inherit", NULL, TABLE_RUN, TABLE_FLAG, IN(leaves_children),
		"do not apply the rules to PROGRAM's children", NULL},
	{"-c", "--check", NULL, TABLE_RUN, TABLE_VERB, COMMAND_CHECK,
		"print the policy as a table, and exit with 0, or with 78 if it is broken", NULL},
	{NULL, "--explain", NULL, TABLE_RUN, TABLE_FLAG, IN(is_explained),
		"run PROGRAM, but change nothing, and say what the policy would do", NULL},
	{"-V", "--version", NULL, TABLE_RUN, TABLE_VERB, COMMAND_VERSION,
		"print the version", NULL},
	{"-h", "--help", NULL, TABLE_RUN, TABLE_VERB, COMMAND_HELP,
		"print this help", NULL},

	{NULL, "--who", "[PORT]", TABLE_LOOK, TABLE_VERB, COMMAND_WHO,
		"show who listens on PORT, or on any port; exit with 0 if somebody does, 1 if "
		"nobody does", NULL},
	{NULL, "--json", NULL, TABLE_LOOK, TABLE_FLAG, IN(is_json),
		"with --who or --status: print JSON, for programs", NULL},
	{NULL, "--watch", NULL, TABLE_LOOK, TABLE_FLAG, IN(is_watched),
		"with --who: show the table again every second", NULL},
	{NULL, "--why", "[ADDR:]PORT", TABLE_LOOK, TABLE_VERB, COMMAND_WHY,
		"say whether another copy can join, and if not, why, and how to fix it; exit with 0 "
		"if it can, 1 if it cannot, 2 if this is not known", NULL},
	{NULL, "--user", "NAME", TABLE_LOOK, TABLE_STRING, IN(user),
		"with --why: ask for a copy that runs as this user", NULL},

	{"-n", "--copies", "N", TABLE_SUPERVISE, TABLE_COUNT, OPTIONS(n_copies),
		"run N copies, and replace each copy that dies", NULL},
	{NULL, "--keep", NULL, TABLE_SUPERVISE, TABLE_FLAG, IN(is_kept),
		"if a copy dies, keep its sockets open for the next copy; -n implies this; "
		"without -n, run one copy", NULL},
	{NULL, "--no-keep", NULL, TABLE_SUPERVISE, TABLE_FLAG, IN(is_plain),
		"with -n: let the copies share their ports, but keep no sockets; a roll or a "
		"crash loses the connections in a copy's queue", NULL},
	{NULL, "--roll", "PID|PIDFILE", TABLE_SUPERVISE, TABLE_VERB, COMMAND_ROLL,
		"tell a supervisor to replace its copies one by one, as SIGHUP does, and show the "
		"progress; exit with 0 if all were replaced, 1 if old copies are left", NULL},
	{NULL, "--scale", "PID|PIDFILE", TABLE_SUPERVISE, TABLE_VERB, COMMAND_SCALE,
		"with -n N: tell a supervisor to run N copies, and show the progress; exit with 0 "
		"if they are ready, 1 if not", NULL},
	{NULL, "--stop", "[PID|PIDFILE]", TABLE_SUPERVISE, TABLE_VERB, COMMAND_STOP,
		"stop a supervisor, or a process that shares its TCP ports with others, after it "
		"has served its clients; exit with 0 if it has ended, 1 if connections were cut "
		"off", NULL},
	{NULL, "--status", "[PID|PIDFILE]", TABLE_SUPERVISE, TABLE_VERB, COMMAND_STATUS,
		"show the state of a supervisor and its copies, or list the supervisors; exit "
		"with 0 if all copies are ready, 1 if not, 69 if there is no supervisor", NULL},

	{NULL, "--drain-timeout", "T", TABLE_STOPPED, TABLE_TIME, OPTIONS(drain_timeout_ms),
		"how long an old copy may continue to serve its clients [30s]", NULL},
	{NULL, "--stop-signal", "S", TABLE_STOPPED, TABLE_SIGNAL, OPTIONS(stop_signal),
		"the signal that then tells it to stop [TERM]", NULL},
	{NULL, "--grace", "T", TABLE_STOPPED, TABLE_TIME, OPTIONS(grace_ms),
		"how long after the stop signal before SIGKILL [10s]", NULL},

	{NULL, "--queues", "Q", TABLE_COPIES, TABLE_QUEUES, OPTIONS(n_queues),
		"how many queues for new connections each endpoint has; with 1, any idle copy "
		"takes the next connection [one for each copy]", NULL},
	{NULL, "--ready", "HOW", TABLE_COPIES, TABLE_READY, 0,
		"a copy is ready when it listens ('listen'), says READY=1 ('notify'), accepts a "
		"connection ('tcp[:PORT]'), answers a request with 2xx or 3xx ('http:[PORT]/PATH'), or "
		"when a shell command exits with 0 [listen]", "listen notify tcp http:"},
	{NULL, "--ready-delay", "T", TABLE_COPIES, TABLE_TIME, OPTIONS(ready_delay_ms),
		"how long a new copy must run after that [500ms for listen, else 0s]", NULL},
	{NULL, "--ready-timeout", "T", TABLE_COPIES, TABLE_TIME, OPTIONS(ready_timeout_ms),
		"how long a new copy may take to be ready; after that, the old one stays [30s]", NULL},
	{NULL, "--probation", "T", TABLE_COPIES, TABLE_TIME, OPTIONS(probation_ms),
		"how long a new copy must run after it is ready before the old one is told to "
		"stop [3s]", NULL},
	{NULL, "--alive", "HOW", TABLE_COPIES, TABLE_ALIVE, 0,
		"check each copy regularly: 'tcp[:PORT]', 'http:[PORT]/PATH', or a shell command; one "
		"that fails gets no new clients, and is replaced", "tcp http:"},
	{NULL, "--alive-interval", "T", TABLE_COPIES, TABLE_INTERVAL, OPTIONS(alive.interval_ms),
		"how often to check, and how long an answer may take [5s]", NULL},
	{NULL, "--alive-failures", "N", TABLE_COPIES, TABLE_NUMBER, OPTIONS(alive.failures),
		"how many checks in a row must fail before a copy is replaced [3]", NULL},
	{NULL, "--max-memory", "SIZE", TABLE_COPIES, TABLE_SIZE, OPTIONS(max_memory),
		"replace a copy that has more resident memory than SIZE, such as 500M or 2G", NULL},
	{NULL, "--max-crashes", "N", TABLE_COPIES, TABLE_LIMIT, OPTIONS(max_crashes),
		"after this many crashes within a minute, stop, and exit with the status of the "
		"last one; 0: never [5 for process 1, else 0]", NULL},
	{NULL, "--stop-delay", "T", TABLE_COPIES, TABLE_TIME, OPTIONS(stop_delay_ms),
		"how long the last copy of each port continues to serve after SIGTERM [0s]", NULL},
	{NULL, "--stop-timeout", "T", TABLE_COPIES, TABLE_TIME, OPTIONS(stop_timeout_ms),
		"how long the supervisor may take to stop; the other times are shortened to fit "
		"[8s for process 1, else what the other options allow]", NULL},
	{NULL, "--keep-timeout", "T", TABLE_COPIES, TABLE_TIME, OPTIONS(keep_timeout_ms),
		"how long the sockets of a dead copy stay open for the next copy [30s]", NULL},
	{NULL, "--restart", "WHEN", TABLE_COPIES, TABLE_RESTART, OPTIONS(restart),
		"when to start a copy again: on-failure, always or no [on-failure]",
		"on-failure always no"},
	{NULL, "--env-file", "FILE", TABLE_COPIES, TABLE_FILLED, OPTIONS(env_file),
		"set the variables in FILE for each copy; FILE is read at each start", NULL},
	{NULL, "--chdir", "DIR", TABLE_COPIES, TABLE_FILLED, OPTIONS(directory),
		"run each copy in DIR, which is looked up at each start", NULL},
	{NULL, "--unlink", "FILE", TABLE_COPIES, TABLE_UNLINK, 0,
		"remove FILE before a copy starts; may be repeated", NULL},
	{NULL, "--pid-file", "FILE", TABLE_COPIES, TABLE_FILLED, OPTIONS(pid_file),
		"write the supervisor's process number to FILE", NULL},
	{NULL, "--pin", NULL, TABLE_COPIES, TABLE_FLAG, OPTIONS(is_pinned),
		"let each copy run on one CPU only, the next copy on the next CPU; for --steer cpu",
		NULL},
	{NULL, "--expand", NULL, TABLE_COPIES, TABLE_FLAG, OPTIONS(is_expanded),
		"replace %i by the number of the copy, %g by its generation, and %% by %, in ARGs and "
		"in --chdir, --env-file and --unlink", NULL},

	{NULL, "--parent", "HOOK", TABLE_HIDDEN, TABLE_VERB, COMMAND_PARENT,
		NULL, NULL},
	{NULL, "--preload", "LIST", TABLE_HIDDEN, TABLE_FILLED, OPTIONS(preload),
		NULL, NULL}, /* for --parent, where the notify hook is not available */
};
/* clang-format on */

const size_t table_size = sizeof table_rows / sizeof *table_rows;

const struct table_row *table_find(const char *name, size_t length)
{
	for (size_t i = 0; i < table_size; i++) {
		if (strncmp(table_rows[i].name, name, length) == 0 && !table_rows[i].name[length])
			return &table_rows[i];
	}
	return NULL;
}

const struct table_row *table_find_letter(char letter)
{
	for (size_t i = 0; i < table_size; i++) {
		if (table_rows[i].letter && table_rows[i].letter[1] == letter)
			return &table_rows[i];
	}
	return NULL;
}

const char *table_nearest(const char *name, size_t length)
{
	struct nearest nearest = nearest_to(name + 2, length - 2);

	for (size_t i = 0; i < table_size; i++) {
		if (table_rows[i].group != TABLE_HIDDEN)
			nearest_try(&nearest, table_rows[i].name + 2);
	}
	return nearest.word ? nearest.word - 2 : NULL;
}

bool table_is_optional(const struct table_row *row)
{
	return row->value && row->value[0] == '[' && row->value[strlen(row->value) - 1] == ']';
}
