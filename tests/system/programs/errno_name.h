/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* strerrorname_np(3) for a libc that does not have it, as glibc before 2.32: the names that
 * libreuse knows. */
#pragma weak errno_name /* a program may have it in each of its sources */
#pragma weak errno_from_name
#include "../../../src/ground/errnos.c"
#undef COUNT /* a word of programs, too */

#define strerrorname_np errno_name
