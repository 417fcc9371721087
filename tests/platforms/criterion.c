/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "criterion/criterion.h"

struct suite *suites;
struct test *tests;
int test_status;

static const struct suite *suite_of(const struct test *test)
{
	static const struct suite none;
	const struct suite *suite = suites;

	while (suite && strcmp(suite->name, test->suite) != 0)
		suite = suite->next;
	return suite ? suite : &none;
}

static _Noreturn void run(const struct test *test)
{
	const struct suite *suite = suite_of(test);

	if (suite->init)
		suite->init();
	test->run();
	if (suite->fini)
		suite->fini();
	_exit(test_status);
}

/* The exit status of the test's own process. */
static int run_in_child(const struct test *test)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		run(test);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return STATUS_FAILED;
	return WEXITSTATUS(status);
}

int main(void)
{
	int passed = 0, failed = 0, skipped = 0;

	for (const struct test *test = tests; test; test = test->next) {
		int status = run_in_child(test);
		if (status == STATUS_PASSED) {
			passed++;
		} else if (status == STATUS_SKIPPED) {
			skipped++;
		} else {
			fprintf(stderr, "%s/%s failed\n", test->suite, test->name);
			failed++;
		}
	}
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed > 0 || passed == 0;
}
