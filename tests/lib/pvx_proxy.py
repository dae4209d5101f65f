# SPDX-License-Identifier: Apache-2.0
"""pvx_proxy - a relay in the middle: passes frames on, or does as it is told.

Sits between clients and a real paravoxd on loopback. `hook(proxy, link, side,
frame)` sees every whole frame (its length field included); `side` is "up" for
client to relay and "down" for relay to client. It returns the list of byte
strings to pass on instead: [frame] is honest, [] drops, [frame, frame]
duplicates. Everything that was read is kept in `seen`. Where TLS passes there
are no frames to see: `is_raw` passes on whatever comes.
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
    def __init__(self, relay_address, hook=None, path=None, is_raw=False):
        """`relay_address` is (host, port) or the path of a Unix socket;
        `path`: wait on a Unix socket there, and not on loopback."""
        self.relay_address = relay_address
        self.hook = hook
        self.is_raw = is_raw
        self.lock = threading.Lock()  # guards links and seen
        self.links = []
        self.seen = {"up": bytearray(), "down": bytearray()}
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen()
            self.address = "unix:" + path
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
            self.address = f"127.0.0.1:{self.port}"
            if not is_raw:
                self.address = "plain:" + self.address
        self.is_closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _connect(self):
        if not isinstance(self.relay_address, str):
            return socket.create_connection(self.relay_address)
        relay = socket.socket(socket.AF_UNIX)
        relay.connect(self.relay_address)
        return relay

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                relay = self._connect()
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
                if self.is_raw:
                    link.send(side, data)
                    continue
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
