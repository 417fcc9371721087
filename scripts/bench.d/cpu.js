// SPDX-License-Identifier: LGPL-2.1-or-later
// cpu.js PORT [cluster]: computes before it answers; with "cluster", two workers of node's own module.
const { createHash } = require('crypto');
const cluster = require('cluster');
const [port, mode] = process.argv.slice(2);

if (mode === 'cluster' && cluster.isPrimary) {
	cluster.fork();
	cluster.fork();
} else {
	require('http').createServer((request, response) => {
		let digest = '';
		for (let i = 0; i < 500; i++) {
			digest = createHash('sha256').update(digest).digest('hex');
		}
		response.end(digest);
	}).listen(Number(port), '127.0.0.1');
}
