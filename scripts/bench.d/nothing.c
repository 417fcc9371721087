/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes no socket, and ends: what is left is the cost of being loaded. */
int main(void)
{
	return 0;
}
