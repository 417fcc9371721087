// SPDX-License-Identifier: LGPL-2.1-or-later
// uneven.js PORT [cluster]: an event loop whose requests hold it up for 2 ms, and ten of each hundred, by
// chance which, for 50 ms; with "cluster", four workers of node's own module.
const cluster = require('cluster');
const [port, mode] = process.argv.slice(2);
const clock = new Int32Array(new SharedArrayBuffer(4));

if (mode === 'cluster' && cluster.isPrimary) {
	for (let i = 0; i < 4; i++) {
		cluster.fork();
	}
} else {
	let slow = 0, all = 0; // of those that are left of a hundred
	require('http').createServer((request, response) => {
		if (all === 0) {
			[slow, all] = [10, 100];
		}
		const isSlow = Math.random() * all-- < slow;
		slow -= isSlow;
		Atomics.wait(clock, 0, 0, isSlow ? 50 : 2);
		response.setHeader('Connection', 'close');
		response.end('ok');
	}).listen(Number(port), '127.0.0.1');
}
