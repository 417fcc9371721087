// SPDX-License-Identifier: LGPL-2.1-or-later

// A server that knows nothing of libreuse: "server http ADDRESS" or "server udp ADDRESS" answers
// with its process number; "server often ADDRESS" binds again and again.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func serveHTTP(address string) {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "process %d.\n", os.Getpid())
	})
	check(http.ListenAndServe(address, nil))
}

func serveUDP(address string) {
	socket, err := net.ListenPacket("udp", address)
	check(err)
	bytes := make([]byte, 1500)
	for {
		_, peer, err := socket.ReadFrom(bytes)
		check(err)
		socket.WriteTo([]byte(fmt.Sprintf("process %d.\n", os.Getpid())), peer)
	}
}

// Many goroutines bind at once while the runtime preempts the threads that they run on.
func bindOften(address string) {
	failures := make(chan error)
	for i := 0; i < 64; i++ {
		go func() {
			for j := 0; j < 20; j++ {
				listener, err := net.Listen("tcp", address)
				if err != nil {
					failures <- err
					return
				}
				for k := 0; k < 200000; k++ {
				}
				listener.Close()
			}
			failures <- nil
		}()
	}
	for i := 0; i < 64; i++ {
		check(<-failures)
	}
	fmt.Println("all bound")
}

func main() {
	switch os.Args[1] {
	case "http":
		serveHTTP(os.Args[2])
	case "udp":
		serveUDP(os.Args[2])
	case "often":
		bindOften(os.Args[2])
	}
}
