/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse-bpf: reads the command line and runs it. */
#include "attach.h"
#include "ground/standard.h"
#include "list.h"
#include "load.h"
#include "policy/nearest.h"
#include "tell.h"

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
	"Usage: reuse-bpf load [-f FILE]     put a policy into effect, or replace it\n"
	"       reuse-bpf attach CGROUP      apply it to all programs in this control group\n"
	"       reuse-bpf detach CGROUP      stop applying it to this control group\n"
	"       reuse-bpf list               show what each rule has done, and where it applies\n"
	"       reuse-bpf unload             detach all control groups, and remove everything\n"
	"       reuse-bpf -h, --help | -V, --version\n"
	"\n"
	"The environment variable REUSE_BPF_PIN names the directory in which all of this is\n"
	"pinned [/sys/fs/bpf/libreuse]. See reuse-bpf(8).\n";

static int load_default(void)
{
	return load(NULL);
}

static int help(void)
{
	return fputs(usage, stdout) < 0 ? EX_IOERR : 0;
}

static int version(void)
{
	puts("reuse-bpf (libreuse) " LIBREUSE_VERSION);
	return 0;
}

static const struct verb {
	const char *name, *option; /* between the name and the value, or NULL */
	int (*act)(void);
	int (*act_on)(const char *value);
} verbs[] = {
	{"load", NULL, load_default, NULL},
	{"load", "-f", NULL, load},
	{"attach", NULL, NULL, attach},
	{"detach", NULL, NULL, detach},
	{"list", NULL, list, NULL},
	{"unload", NULL, unload, NULL},
	{"--help", NULL, help, NULL},
	{"-h", NULL, help, NULL},
	{"--version", NULL, version, NULL},
	{"-V", NULL, version, NULL},
};
#define VERBS (sizeof verbs / sizeof *verbs)

/* Whether the words, up to a NULL, are the verb with all its arguments. */
static bool is_typed(const struct verb *verb, char **words)
{
	if (strcmp(*words++, verb->name) != 0)
		return false;
	if (verb->option && (!*words || strcmp(*words++, verb->option) != 0))
		return false;
	if (verb->act_on && (!*words || !**words++))
		return false;
	return !*words;
}

static int refuse(const char *name)
{
	struct nearest nearest = nearest_to(name, strlen(name));

	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(name, verbs[i].name) == 0) {
			fputs(usage, stderr);
			return EX_USAGE;
		}
		nearest_try(&nearest, verbs[i].name);
	}
	if (nearest.word)
		return tell_failure(
			EX_USAGE, "%s: unknown command; did you mean %s?", name, nearest.word);
	return tell_failure(
		EX_USAGE, "%s: unknown command; reuse-bpf --help lists the commands", name);
}

int main(int argc, char **argv)
{
	int status = -1;

	standard_fill();
	libbpf_set_print(NULL);
	if (argc < 2) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	for (size_t i = 0; status < 0 && i < VERBS; i++) {
		if (is_typed(&verbs[i], argv + 1))
			status = verbs[i].act ? verbs[i].act() : verbs[i].act_on(argv[argc - 1]);
	}
	if (status < 0)
		return refuse(argv[1]);
	if (fflush(stdout) != 0)
		return tell_failure(EX_IOERR, "standard output cannot be written");
	return status;
}
