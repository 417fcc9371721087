/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch.h"

#include "ground/clock.h"
#include "who.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#define PERIOD_MS 1000

#define TO_THE_TOP   "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_BELOW   "\033[J"

/* Whether a long line continues on the next one (DECAWM). */
#define WRAP_OFF "\033[?7l"
#define WRAP_ON	 "\033[?7h"

/* Draws as many lines as the terminal has room for, over the old ones, so that nothing flickers. */
static void draw(char *text)
{
	struct winsize window;
	bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 1;
	unsigned lines = is_known ? window.ws_row - 1U : 23;

	fputs(WRAP_OFF TO_THE_TOP, stdout);
	for (char *line; lines > 0 && (line = strsep(&text, "\n")) && text; lines--)
		printf("%s" REST_OF_LINE "\n", line);
	fputs(REST_BELOW WRAP_ON, stdout);
	fflush(stdout);
}

static int draw_survey(const struct survey *survey, uint16_t port, int64_t elapsed_ms)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return EX_OSERR;
	if (survey->count)
		who_print(out, survey, port, elapsed_ms);
	else
		fprintf(out, "Nobody listens on port %u.\n", port);
	if (fclose(out) == 0)
		draw(text);
	free(text);
	return 0;
}

int watch(uint16_t port)
{
	struct survey now, before = {.listeners = NULL};
	int64_t drawn_ms = 0;

	if (!isatty(STDOUT_FILENO)) {
		fputs("reuse-run: --watch needs a terminal; for programs, use --json\n", stderr);
		return EX_USAGE;
	}
	for (;;) {
		int64_t now_ms = clock_now_ms();
		int status = survey_read(&now, port, drawn_ms ? &before : NULL);
		survey_free(&before);
		if (status) {
			survey_free(&now);
			return status;
		}
		draw_survey(&now, port, drawn_ms ? now_ms - drawn_ms : PERIOD_MS);
		before = now;
		drawn_ms = now_ms;
		usleep(PERIOD_MS * 1000);
	}
}
