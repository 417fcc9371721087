/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "place.h"

#include "cgroup.h"
#include "pin.h"
#include "pinned.h"

#include <bpf/bpf.h>
#include <unistd.h>

#define QUERIED_MOST                                                                               \
	64 /* programs of everybody that are attached to one cgroup for one purpose                \
	    */

static int places;
static __u32 bind4_id; /* if this program is attached, all of them are */

int place_open(void)
{
	struct bpf_prog_info info = {.type = 0};
	__u32 size = sizeof info;
	int bind4 = pinned_open(PIN_BIND4);

	places = bind4 < 0 ? bind4 : pinned_open(PIN_PLACES);
	if (bind4 < 0 || places < 0)
		return places;
	int error = bpf_obj_get_info_by_fd(bind4, &info, &size);
	bind4_id = info.id;
	close(bind4);
	return error;
}

static bool has_programs(int cgroup)
{
	__u32 ids[QUERIED_MOST], count = QUERIED_MOST, flags;

	if (bpf_prog_query(cgroup, BPF_CGROUP_INET4_BIND, 0, &flags, ids, &count) < 0)
		return false;
	for (__u32 i = 0; i < count; i++) {
		if (ids[i] == bind4_id)
			return true;
	}
	return false;
}

/* The map keeps a place as long as the cgroup exists, even if nothing is attached any more. */
enum place_state place_find(uint64_t id)
{
	struct row_place_state state;

	if (bpf_map_lookup_elem(places, &id, &state) < 0)
		return PLACE_NONE;
	int cgroup = cgroup_open_number(id);
	bool is_attached = cgroup >= 0 && has_programs(cgroup);
	if (cgroup >= 0)
		close(cgroup);
	return !is_attached ? PLACE_NONE : state.is_paused ? PLACE_PAUSED : PLACE_ACTIVE;
}

int place_pause(uint64_t id, bool is_paused)
{
	struct row_place_state state = {.is_paused = is_paused};

	return bpf_map_update_elem(places, &id, &state, BPF_EXIST);
}

bool place_next(uint64_t *id, bool is_first)
{
	uint64_t before = *id;

	return bpf_map_get_next_key(places, is_first ? NULL : &before, id) == 0;
}
