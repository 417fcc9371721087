// SPDX-License-Identifier: LGPL-2.1-or-later
// http.js PORT: answers every request with its process id, and writes down the port of every client
// that it has accepted.
const { writeSync } = require('fs');

require('http')
	.createServer((request, response) => response.end(`${process.pid}\n`))
	.on('connection', (client) => writeSync(1, `accepted ${client.remotePort} \n`))
	.listen(Number(process.argv[2]), '127.0.0.1');
