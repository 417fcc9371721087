/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "second_signal.h"

#define MARK 0x72657374 /* the value that comes with the signal */

int second_signal_send(pid_t process, int number)
{
	return sigqueue(process, number, (union sigval){.sival_int = MARK});
}

bool second_signal_is(const siginfo_t *info, pid_t sender)
{
	return info->si_code == SI_QUEUE && info->si_value.sival_int == MARK &&
	       info->si_pid == sender;
}
