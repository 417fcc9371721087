// SPDX-License-Identifier: LGPL-2.1-or-later
// uneven.js PORT [cluster]: an event loop whose requests hold it up for 2 ms, and one of each ten, by
// chance which, for 50 ms; with "cluster", four workers of node's own module.
const cluster = require('cluster');
const [port, mode] = process.argv.slice(2);
const clock = new Int32Array(new SharedArrayBuffer(4));

if (mode === 'cluster' && cluster.isPrimary) {
	for (let i = 0; i < 4; i++) {
		cluster.fork();
	}
} else {
	let count = 0, slow = 0;
	require('http').createServer((request, response) => {
		if (count % 10 === 0) {
			slow = count + Math.floor(Math.random() * 10);
		}
		Atomics.wait(clock, 0, 0, count++ === slow ? 50 : 2);
		response.setHeader('Connection', 'close');
		response.end('ok');
	}).listen(Number(port), '127.0.0.1');
}
