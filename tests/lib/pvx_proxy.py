# SPDX-License-Identifier: Apache-2.0
"""pvx_proxy - a relay in the middle: passes frames on, or does as it is told.

Sits between clients and a real paravoxd on loopback. `hook(proxy, link, side,
frame)` sees every whole frame (its length field included); `side` is "up" for
client to relay and "down" for relay to client. It returns the list of byte
strings to pass on instead: [frame] is honest, [] drops, [frame, frame]
duplicates. Everything that was read is kept in `seen`.
"""
import socket
import threading


class Link:
    """One client's connection and the one to the relay behind it."""

    def __init__(self, number, client, relay):
        self.number = number
        self.sockets = {"up": relay, "down": client}
        self.locks = {"up": threading.Lock(), "down": threading.Lock()}
        self.seen = {"up": bytearray(), "down": bytearray()}

    def send(self, side, data):
        with self.locks[side]:
            self.sockets[side].sendall(data)

    def close(self):
        for sock in self.sockets.values():
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Proxy:
    def __init__(self, relay_address, hook=None):
        self.relay_address = relay_address
        self.hook = hook
        self.lock = threading.Lock()  # guards links and seen
        self.links = []
        self.seen = {"up": bytearray(), "down": bytearray()}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.address = f"plain:127.0.0.1:{self.port}"
        self.is_closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                relay = socket.create_connection(self.relay_address)
            except OSError:
                client.close()
                continue
            with self.lock:
                link = Link(len(self.links), client, relay)
                self.links.append(link)
            for side, source in (("up", client), ("down", relay)):
                threading.Thread(target=self._pump, daemon=True,
                                 args=(link, side, source)).start()

    def _pump(self, link, side, source):
        pending = b""
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                with self.lock:
                    self.seen[side] += data
                    link.seen[side] += data
                pending += data
                while len(pending) >= 4:
                    end = 4 + int.from_bytes(pending[:4], "big")
                    if len(pending) < end:
                        break
                    frame, pending = pending[:end], pending[end:]
                    out = ([frame] if self.hook is None
                           else self.hook(self, link, side, frame))
                    for piece in out:
                        link.send(side, piece)
        except OSError:
            pass
        link.close()

    def cut(self):
        """Break every connection that is open now."""
        with self.lock:
            links = list(self.links)
        for link in links:
            link.close()

    def close(self):
        self.is_closed = True
        try:  # or accept() would wait on, and take somebody else's client
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.cut()
