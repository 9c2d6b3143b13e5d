"""Receivers on the loopback: a web server that misbehaves as told, and one for mail."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """What a web server got, and what it is to answer: statuses, or words for what it does."""

    answers: list[int | str] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0


@contextmanager
def web_server(trusted: ssl.SSLContext | None = None) -> Iterator[Received]:
    """A web server; it answers 200 when it was told nothing."""
    told = Received()
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._note(b"")
            self._plain(200)

        def do_POST(self) -> None:
            answer = self._note(self.rfile.read(int(self.headers["Content-Length"])))
            if answer == "hang":
                ending.wait(20)
            elif answer == "cut":
                self.connection.close()
            elif answer == "garbage":
                self.wfile.write(b"\x00\xff not HTTP\r\n\r\n")
            elif answer == "drip":
                while not ending.wait(0.05):
                    try:
                        self.wfile.write(b"X")
                    except OSError:
                        return
            else:
                self._plain(int(answer))

        def _note(self, body: bytes) -> int | str:
            with told.lock:
                told.requests.append((self.path, dict(self.headers), body))
                return told.answers.pop(0) if told.answers else 200

        def _plain(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status == 302:
                self.send_header("Location", "/elsewhere")
            if status == 429:
                self.send_header("Retry-After", "33")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # clients that leave early are expected
    if trusted is not None:
        server.socket = trusted.wrap_socket(server.socket, server_side=True)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """What a mail server got, and how it is to behave.

    Attributes
    ----------
    reply : str
        To the end of a mail.
    user, password : str
        What it asks for; nothing when empty.
    """

    reply: str = "250 kept"
    refuse: str = ""
    user: str = ""
    password: str = ""
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    port: int = 0


@contextmanager
def mail_server(trusted: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A mail server that knows STARTTLS where it has a certificate."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        tls = False

        def handle(self) -> None:
            self._say("220 hello")
            while line := self.rfile.readline().decode().strip():
                if not self._answer(line):
                    return

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

        def _answer(self, line: str) -> bool:
            verb = line.split(" ", maxsplit=1)[0].upper()
            if verb == "EHLO":
                more = ["AUTH PLAIN"] if box.user else []
                more += ["STARTTLS"] if trusted is not None and not self.tls else []
                lines = ["me", *more]
                for i, word in enumerate(lines):
                    self._say(f"250{' ' if i == len(lines) - 1 else '-'}{word}")
            elif verb == "STARTTLS" and trusted is not None:
                self._say("220 go")
                self.connection = trusted.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
                self.tls = True
            elif verb == "AUTH":
                given = base64.b64decode(line.split(" ")[2]).split(b"\0")[1:]
                right = given == [box.user.encode(), box.password.encode()]
                self._say("235 ok" if right else "535 no")
            elif verb == "RCPT":
                refused = box.refuse and box.refuse in line
                self._say("550 unknown" if refused else "250 ok")
                if not refused:
                    box.recipients.append(line)
            elif verb == "DATA":
                self._say("354 go")
                self._read_mail()
            else:
                self._say("221 bye" if verb == "QUIT" else "250 ok")
            return verb != "QUIT"

        def _read_mail(self) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            box.mails.append(b"".join(lines))
            box.encrypted.append(self.tls)
            self._say(box.reply)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def until(holds, patience_s: float = 10.0) -> bool:
    """Wait until something holds."""
    end = time.monotonic() + patience_s
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(found)
