# SPDX-License-Identifier: LGPL-2.1-or-later
# Binds one port twice and listens on both, or dies.
use strict;
use warnings;
use Socket;

socket(my $probe, AF_INET, SOCK_STREAM, 0) or die $!;
bind($probe, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die $!;
my ($port) = unpack_sockaddr_in(getsockname $probe);
close $probe;

my @sockets;
for (1, 2) {
	socket(my $fd, AF_INET, SOCK_STREAM, 0) or die $!;
	bind($fd, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die $!;
	listen($fd, 5) or die $!;
	push @sockets, $fd;
}
