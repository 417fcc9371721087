/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "requests.h"

#include "roll.h"
#include "scale.h"
#include "status.h"

#define REQUESTS_MOST 64 /* in one pass: copies are waiting, too */

static void tell_status(struct supervisor *supervisor, const struct control_request *request)
{
	size_t size = 0;
	char *text = status_text(supervisor, (enum control_form)request->number, &size);

	control_answer(&supervisor->control, request->client, text, text ? size : 0);
}

void requests_serve(struct supervisor *supervisor)
{
	struct control_request request;

	for (int i = 0; i < REQUESTS_MOST && control_next(&supervisor->control, &request); i++) {
		if (request.verb == CONTROL_ROLL)
			roll_begin(supervisor);
		else if (request.verb == CONTROL_SCALE)
			scale_request(supervisor, request.number);
		else if (request.verb == CONTROL_STATUS)
			tell_status(supervisor, &request);
	}
}
