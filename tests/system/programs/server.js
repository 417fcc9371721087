// SPDX-License-Identifier: LGPL-2.1-or-later
// server.js PORT ANSWER: says ANSWER to everyone who connects, IPv4 and IPv6.
const [port, answer] = process.argv.slice(2);

require('net').createServer((client) => {
	client.on('error', () => {});
	client.end(answer);
}).listen(Number(port));
