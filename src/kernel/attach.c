/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attach.h"

#include "cgroup.h"
#include "pin.h"
#include "pinned.h"
#include "place.h"
#include "tell.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define NEW "new-" /* before the name of a folder, until it is complete */

/* ---- links ---- */

/* The path of a link, or with an empty NAME, of the folder of all links of a cgroup. */
static const char *link_path(char path[static PATH_MAX], const char *folder, const char *name)
{
	int length = snprintf(path, PATH_MAX, "%s/" PIN_LINKS "/%s%s%s", pin_folder(), folder,
		*name ? "/" : "", name);

	if (length >= PATH_MAX)
		path[0] = '\0';
	return path;
}

/* Names the folder for the links of a cgroup: BEFORE, and the number of the cgroup. */
static void name_folder(char folder[static 32], const char *before, uint64_t id)
{
	snprintf(folder, 32, "%s%" PRIu64, before, id);
}

/* Each link is detached before its file is removed, so that the program stops at once. */
static void remove_links(const char *folder)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < PIN_PROGRAMS; i++) {
		int fd = bpf_obj_get(link_path(path, folder, pin_programs[i].name));
		if (fd < 0)
			continue;
		bpf_link_detach(fd);
		close(fd);
		unlink(path);
	}
	rmdir(link_path(path, folder, ""));
}

/*
 * Detaches all programs of a cgroup at once: they are paused meanwhile. The pause ends afterwards,
 * because systemd may attach the programs there too.
 */
static void detach_place(uint64_t id, const char *folder)
{
	place_pause(id, true);
	remove_links(folder);
	place_pause(id, false);
}

static int create_link(const struct pin_program *program, int cgroup)
{
	int fd = pinned_open(program->name);
	if (fd < 0)
		return fd;
	int link = bpf_link_create(fd, cgroup, program->type, NULL);
	int error = link < 0 ? -errno : 0;
	close(fd);
	return error ? error : link;
}

/* Attaches all programs, paused, and pins their links in FOLDER. */
static int create_links(int cgroup, uint64_t id, const char *folder)
{
	int links[PIN_PROGRAMS], n_links = 0, error = 0;
	char path[PATH_MAX];

	while (!error && n_links < PIN_PROGRAMS) {
		int link = create_link(&pin_programs[n_links], cgroup);
		if (link < 0) {
			error = link;
			break;
		}
		links[n_links++] = link;
		if (n_links == 1) /* the others have the same place */
			error = place_pause(id, true);
	}
	if (!error && mkdir(link_path(path, folder, ""), 0700) < 0)
		error = -errno;
	for (int i = 0; !error && i < n_links; i++)
		error = bpf_obj_pin(links[i], link_path(path, folder, pin_programs[i].name));
	while (n_links > 0)
		close(links[--n_links]);
	return error;
}

/* ---- what a killed process has left behind ---- */

/* Links are left over if they are paused, and so were incomplete, or if their cgroup is gone. */
static bool is_left_over(const char *folder)
{
	return !isdigit((unsigned char)*folder) ||
	       place_find(strtoull(folder, NULL, 10)) != PLACE_ACTIVE;
}

static void end_pauses(void)
{
	uint64_t id = 0;

	for (bool is_first = true; place_next(&id, is_first); is_first = false)
		place_pause(id, false);
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Detaches from all cgroups, or only from those of killed processes. */
static void clear_links(bool is_all)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int count = scandir(pinned_path(path, PIN_LINKS), &entries, is_name, NULL);

	for (int i = 0; i < count; i++) {
		const char *folder = entries[i]->d_name;
		if (is_left_over(folder))
			remove_links(folder);
		else if (is_all)
			detach_place(strtoull(folder, NULL, 10), folder);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	end_pauses();
}

/* ---- attach ---- */

/*
 * A call must not be decided twice: the second decision would be about the address that the first
 * one has set.
 */
static int check_nested(const char *path)
{
	char other[PATH_MAX];
	uint64_t id = 0;

	for (bool is_first = true; place_next(&id, is_first); is_first = false) {
		size_t length = strlen(path);
		if (place_find(id) != PLACE_ACTIVE || cgroup_path(id, other) < 0)
			continue;
		size_t other_length = strlen(other);
		bool is_within = strncmp(path, other, other_length) == 0 &&
				 (path[other_length] == '/' || path[other_length] == '\0');
		bool is_around = strncmp(path, other, length) == 0 &&
				 (other[length] == '/' || other[length] == '\0');
		if (is_within || is_around)
			return tell_failure(EX_CANTCREAT,
				"%s is attached already, and %s %s; detach it first, because a "
				"call must not be decided twice",
				other, is_within ? "contains" : "is within", path);
	}
	return 0;
}

static int attach_new(int cgroup, uint64_t id, const char *path)
{
	char new_folder[32], folder[32], from[PATH_MAX], to[PATH_MAX];

	name_folder(new_folder, NEW, id);
	name_folder(folder, "", id);
	int error = create_links(cgroup, id, new_folder);
	if (!error && rename(link_path(from, new_folder, ""), link_path(to, folder, "")) < 0)
		error = -errno;
	if (!error)
		error = place_pause(id, false);
	if (error) {
		remove_links(new_folder);
		remove_links(folder);
		place_pause(id, false);
		if (error == -EPERM)
			tell_failure(0,
				"if this user may attach BPF programs, another BPF program is "
				"attached to a parent of %s and does not allow others below it (no "
				"BPF_F_ALLOW_MULTI); bpftool cgroup tree shows it",
				path);
		return tell_refused(error, "%s: the BPF programs cannot be attached", path);
	}
	tell("attached to %s", path);
	return 0;
}

static int attach_open(int cgroup, uint64_t id)
{
	char path[PATH_MAX];
	int error = cgroup_path(id, path);

	if (error)
		return tell_refused(error, "the path of the control group cannot be found");
	if (place_find(id) == PLACE_ACTIVE) {
		tell("%s is attached already", path);
		return 0;
	}
	int status = check_nested(path);
	return status ? status : attach_new(cgroup, id, path);
}

/* ---- verbs ---- */

static int open_cgroup(const char *path, uint64_t *id)
{
	char mount[PATH_MAX];
	int cgroup = cgroup_open(path, id);

	if (cgroup >= 0)
		return cgroup;
	if (cgroup_mount(mount) < 0)
		tell_failure(0, "no file system of control groups of version 2 is mounted; mount "
				"it: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	else if (cgroup == -ENOTTY)
		tell_failure(0,
			"%s is not a control group of version 2; these are directories below %s",
			path, mount);
	else
		tell_refused(cgroup, "%s", path);
	return cgroup;
}

/* Locks, checks that the programs are there, and removes what killed processes have left behind. */
static int begin(void)
{
	int status = pinned_lock();

	if (status)
		return status;
	int error = place_open();
	if (error == -ENOENT)
		return tell_failure(EX_UNAVAILABLE,
			"nothing is loaded in %s; run reuse-bpf load first", pin_folder());
	if (error)
		return tell_refused(error, "%s cannot be opened", pin_folder());
	clear_links(false);
	return 0;
}

static int begin_with(const char *path, int *cgroup, uint64_t *id)
{
	*cgroup = open_cgroup(path, id);
	return *cgroup < 0 ? EX_NOINPUT : begin();
}

int attach(const char *path)
{
	uint64_t id;
	int cgroup, status = begin_with(path, &cgroup, &id);

	if (!status)
		status = attach_open(cgroup, id);
	if (cgroup >= 0)
		close(cgroup);
	return status;
}

int detach(const char *path)
{
	uint64_t id;
	char folder[32], file[PATH_MAX];
	int cgroup, status = begin_with(path, &cgroup, &id);

	if (cgroup >= 0)
		close(cgroup);
	if (status)
		return status;
	name_folder(folder, "", id);
	if (access(link_path(file, folder, ""), F_OK) == 0) {
		detach_place(id, folder);
		tell("detached from %s", path);
	} else if (place_find(id) == PLACE_ACTIVE) {
		return tell_failure(EX_UNAVAILABLE,
			"%s was attached by something else, such as BPFProgram= of its unit", path);
	} else {
		tell("%s is not attached", path);
	}
	return 0;
}

int unload(void)
{
	uint64_t id = 0;
	int status = pinned_lock();

	if (status)
		return status;
	int error = place_open();
	if (error == -ENOENT) {
		tell("nothing is loaded in %s", pin_folder());
		return 0;
	}
	if (error)
		return tell_refused(error, "%s cannot be opened", pin_folder());
	clear_links(true);
	bool is_used = false;
	for (bool is_first = true; place_next(&id, is_first); is_first = false)
		is_used |= place_find(id) == PLACE_ACTIVE;
	error = pinned_remove_all();
	if (error)
		return tell_refused(error, "%s cannot be removed", pin_folder());
	tell("unloaded what was in %s%s", pin_folder(),
		is_used ? "; units with BPFProgram= keep the BPF programs until they stop" : "");
	return 0;
}
