/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signal_name.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static const struct {
	int number;
	char name[8];
} table[] = {
	{SIGABRT, "ABRT"},
	{SIGALRM, "ALRM"},
	{SIGBUS, "BUS"},
	{SIGCHLD, "CHLD"},
	{SIGCONT, "CONT"},
	{SIGFPE, "FPE"},
	{SIGHUP, "HUP"},
	{SIGILL, "ILL"},
	{SIGINT, "INT"},
	{SIGIO, "IO"},
	{SIGKILL, "KILL"},
	{SIGPIPE, "PIPE"},
	{SIGPROF, "PROF"},
	{SIGPWR, "PWR"},
	{SIGQUIT, "QUIT"},
	{SIGSEGV, "SEGV"},
	{SIGSTOP, "STOP"},
	{SIGSYS, "SYS"},
	{SIGTERM, "TERM"},
	{SIGTRAP, "TRAP"},
	{SIGTSTP, "TSTP"},
	{SIGTTIN, "TTIN"},
	{SIGTTOU, "TTOU"},
	{SIGURG, "URG"},
	{SIGUSR1, "USR1"},
	{SIGUSR2, "USR2"},
	{SIGVTALRM, "VTALRM"},
	{SIGWINCH, "WINCH"},
	{SIGXCPU, "XCPU"},
	{SIGXFSZ, "XFSZ"},
};

#define TABLE_SIZE (sizeof table / sizeof *table)

const char *signal_name(int number)
{
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (table[i].number == number)
			return table[i].name;
	}
	return NULL;
}

int signal_named(const char *name)
{
	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (strcmp(table[i].name, name) == 0)
			return table[i].number;
	}
	return 0;
}
