// SPDX-License-Identifier: LGPL-2.1-or-later

import java.net.ServerSocket;
import java.net.Socket;

/** Server PORT ANSWER: says ANSWER to everyone who connects. */
public class Server {
	public static void main(String[] args) throws Exception {
		byte[] answer = args[1].getBytes();

		try (ServerSocket server = new ServerSocket(Integer.parseInt(args[0]))) {
			for (;;) {
				try (Socket client = server.accept()) {
					client.getOutputStream().write(answer);
				}
			}
		}
	}
}
