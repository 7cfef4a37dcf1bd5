"""A way to a server that can be broken as networks and hosts break."""

import socket
import struct
import threading
from contextlib import suppress


class Door:
    """A TCP port that leads to the port of a server, or does what a broken host does."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.mute = False  # whoever comes in hears nothing
        self._sockets: list[socket.socket] = []
        self._changing = threading.Lock()
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def cut(self) -> None:
        """Reset every connection, in the middle of whatever it sends."""
        with self._changing:
            sockets, self._sockets = self._sockets, []
        for each in sockets:
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no farewell
                each.shutdown(socket.SHUT_RD)
            each.close()

    def lock(self) -> None:
        """Refuse connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def unlock(self) -> None:
        self._listener = self._listen(self.port)

    def close(self) -> None:
        self.lock()
        self.cut()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with self._changing:
                    self._sockets.append(client)
                if not self.mute:
                    self._lead(client)

    def _lead(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        with self._changing:
            self._sockets.append(server)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(1500):
            sink.sendall(some)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
