// SPDX-License-Identifier: LGPL-2.1-or-later
// What node's net, dgram, http and cluster do, one line each: "NAME OUTCOME".
'use strict';
const net = require('net'), dgram = require('dgram'), http = require('http');
const once = require('events').once;

async function outcome(name, run) {
	let what = 'ok';
	try {
		what = (await run()) || what;
	} catch (error) {
		what = error.code || error.message;
	}
	console.log(`net.${name} ${what}`);
}

async function listening(server, ...args) {
	server.listen(...args);
	await once(server, 'listening');
	return server.address();
}

async function echo(host) {
	const server = net.createServer((socket) => socket.pipe(socket));
	const {port} = await listening(server, 0, host);
	const client = net.connect(port, host);
	client.end('hello');
	const [data] = await once(client, 'data');
	server.close();
	await once(server, 'close');
	return String(data);
}

(async () => {
	await outcome('echo4', () => echo('127.0.0.1'));
	await outcome('echo6', () => echo('::1'));
	await outcome('wildcard', async () => {
		const server = net.createServer();
		const {family, port} = await listening(server, 0);
		server.close();
		return `${family}${port > 0}`;
	});
	await outcome('listen_again_after_close', async () => {
		const server = net.createServer();
		const {port} = await listening(server, 0, '127.0.0.1');
		server.close();
		await once(server, 'close');
		const again = await listening(server, port, '127.0.0.1');
		server.close();
		return String(again.port === port);
	});
	await outcome('one_server_listens_once', async () => {
		const server = net.createServer();
		await listening(server, 0, '127.0.0.1');
		try {
			server.listen(0, '127.0.0.1');
		} finally {
			server.close();
		}
	});
	await outcome('no_such_address', () => listening(net.createServer(), 0, '192.0.2.1').then(() => 'ok'));
	await outcome('refused', async () => {
		const server = net.createServer();
		const {port} = await listening(server, 0, '127.0.0.1');
		server.close();
		await once(server, 'close');
		await once(net.connect(port, '127.0.0.1'), 'connect');
	});
	await outcome('local_address', async () => {
		const server = net.createServer();
		const {port} = await listening(server, 0, '127.0.0.1');
		const client = net.connect({port, host: '127.0.0.1', localAddress: '127.0.0.9'});
		await once(client, 'connect');
		const address = client.localAddress;
		client.destroy();
		server.close();
		return address;
	});
	await outcome('dgram', async () => {
		const socket = dgram.createSocket('udp4');
		socket.bind(0, '127.0.0.1');
		await once(socket, 'listening');
		socket.send('hello', socket.address().port, '127.0.0.1');
		const [data] = await once(socket, 'message');
		socket.close();
		return String(data);
	});
	await outcome('http', async () => {
		const server = http.createServer((request, response) => response.end(request.url));
		const {port} = await listening(server, 0, '127.0.0.1');
		const [response] = await once(http.get({port, host: '127.0.0.1', path: '/hello'}), 'response');
		response.resume();
		await once(response, 'end');
		server.close();
		return String(response.statusCode);
	});
	await outcome('two_servers_on_one_port', async () => {
		const first = net.createServer(), second = net.createServer();
		const {port} = await listening(first, 0, '127.0.0.1');
		try {
			await listening(second, port, '127.0.0.1');
			second.close();
		} finally {
			first.close();
		}
	});
})();
