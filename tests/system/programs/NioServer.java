// SPDX-License-Identifier: LGPL-2.1-or-later

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** NioServer PORT: answers every request with its process id; epoll hears of it before its bind. */
public class NioServer {
	private static final byte[] ANSWER = (ProcessHandle.current().pid() + "\n").getBytes();

	private static void answer(SocketChannel client) throws java.io.IOException {
		try (client) {
			client.read(ByteBuffer.allocate(100));
			client.write(ByteBuffer.wrap(ANSWER));
		} catch (java.io.IOException gone) {
			System.err.println(gone);
		}
	}

	public static void main(String[] args) throws Exception {
		Selector selector = Selector.open();
		ServerSocketChannel server = ServerSocketChannel.open();

		server.configureBlocking(false);
		server.register(selector, SelectionKey.OP_ACCEPT);
		selector.selectNow(); // only now is the kernel told
		server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
		for (;;) {
			selector.selectedKeys().clear();
			selector.select();
			SocketChannel client = server.accept();
			if (client != null) {
				answer(client);
			}
		}
	}
}
