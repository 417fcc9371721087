/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *units;    /* the folder with its units */
static const char *log_path; /* what services write */
static struct process *host; /* unshare(1), the parent of systemd */
static pid_t manager;

/* ---- units ---- */

static void write_unit(const char *name, const char *content)
{
	int length = (int)strcspn(name, "/");

	if (name[length])
		cr_assert_eq(mkdir(format("%s/%.*s", units, length, name), 0755), 0);
	write_file(units, name, content);
}

void systemd_add(const char *name, const char *content)
{
	if (!units) {
		units = new_directory();
		log_path = write_file(new_directory(), "log", "");
		write_unit("service.d/log.conf", format("[Service]\nStandardOutput=append:%s\n"
							"StandardError=append:%s\n",
							 log_path, log_path));
	}
	write_unit(name, content);
}

void systemd_add_service(const char *name, const char *lines)
{
	systemd_add(format("%s.service", name),
		format("[Unit]\nStartLimitIntervalSec=0\n[Service]\n%s\n", lines));
}

const char *systemd_kept(const char *rules, const char *command)
{
	bool is_notified = is_under_notify();
	const char *hook = is_notified ? format("%s --parent=notify -- ", supervise_path()) : "";

	return format("Environment=LD_PRELOAD=%s \"REUSE_RULES=%s\" REUSE_CONFIG=\n"
		      "FileDescriptorStoreMax=16\nRestart=always\nExecStart=%s%s",
		is_notified ? "" : "libreuse.so", rules, hook, command);
}

/* ---- the manager ---- */

/* Runs a program beside it, and waits for its end. */
static struct process *run_inside(const char *const *words)
{
	const char *all[16] = {
		need_program("nsenter"), "-t", format("%d", (int)manager), "-m", "-p"};
	size_t count = 5;

	for (; *words && count < 15; words++)
		all[count++] = *words;
	struct process *process = process_start(all, .is_bare = true);
	process_wait(process);
	return process;
}

static bool is_up(void *context)
{
	(void)context;
	cr_assert_not(process_ended(host), "systemd ended: %s", process_errors(host));
	manager = atoi(read_file(
		format("/proc/%d/task/%d/children", (int)process_id(host), (int)process_id(host))));
	return manager > 0 &&
	       access(format("/proc/%d/root/run/systemd/private", (int)manager), F_OK) == 0 &&
	       process_wait(run_inside(WORDS("systemctl", "show", "-p", "Version"))) == 0;
}

static void need_namespaces(void)
{
	struct process *process =
		process_start(WORDS(need_program("unshare"), "--mount", "--pid", "--fork",
				      "--cgroup", "--uts", "--mount-proc", "/bin/true"),
			.is_bare = true);

	if (process_wait(process) != 0)
		skip("no namespaces: %s", process_errors(process));
}

int systemd_version(void)
{
	int version = 0;
	const char *said = process_output(
		process_run(WORDS(need_program("systemctl"), "--version"), .is_bare = true));

	cr_assert_eq(sscanf(said, "systemd %d", &version), 1, "%s", said);
	return version;
}

void systemd_boot(void)
{
	need_root();
	need_program("/lib/systemd/systemd");
	need_program("systemctl");
	need_namespaces();
	host = process_start(
		WORDS(script_path("boot-systemd"), new_cgroup(), units, library_path()),
		.is_bare = true);
	wait_until(is_up, NULL, "systemd to come up");
}

void systemd_do(const char *verb, const char *unit)
{
	struct process *process = run_inside(WORDS("systemctl", verb, unit));

	cr_assert_eq(process_wait(process), 0, "systemctl %s %s: %s%s", verb, unit,
		process_errors(process), systemd_log());
}

const char *systemd_show(const char *unit, const char *property)
{
	return process_output(
		run_inside(WORDS("systemctl", "show", "--value", "-p", property, unit)));
}

int systemd_stored(const char *unit)
{
	return atoi(systemd_show(unit, "NFileDescriptorStore"));
}

const char *systemd_read(const char *path)
{
	return read_file(format("/proc/%d/root%s", (int)manager, path));
}

void systemd_kill(int process, int signal)
{
	struct process *kill =
		run_inside(WORDS("/bin/kill", format("-%d", signal), format("%d", process)));

	cr_assert_eq(process_wait(kill), 0, "kill %d: %s", process, process_errors(kill));
}

/* ---- output of services ---- */

const char *systemd_log(void)
{
	return read_file(log_path);
}

struct expected {
	const char *text;
	int count;
};

static bool is_said(void *context)
{
	const struct expected *expected = context;
	int count = 0;

	for (const char *at = systemd_log(); (at = strstr(at, expected->text)); at++)
		count++;
	return count >= expected->count;
}

void systemd_wait_log(const char *text, int count)
{
	struct expected expected = {text, count};

	wait_until(is_said, &expected,
		format("\"%s\", %d times, in the log: %s", text, count, systemd_log()));
}

const char *with_run(const char *text)
{
	static const char installed[] = "/usr/bin/reuse-run";
	const char *at;

	while ((at = strstr(text, installed)))
		text = format(
			"%.*s%s%s", (int)(at - text), text, run_path(), at + strlen(installed));
	return text;
}
