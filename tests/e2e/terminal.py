"""A terminal with `gctl` in it, as a person would have it."""
import fcntl
import os
import pty
import re
import select
import struct
import termios

from peer import GCTL, environment
from waiting import wait_until


class Terminal:
    """gctl in a terminal of its own."""

    def __init__(self, peer, *args, rows=30, columns=100):
        self.peer = peer
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            command = [*peer.prefix, GCTL, *args]
            os.execvpe(command[0], command, environment(peer.http_address))
        self.text = ''
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, seconds=20):
        def found():
            while select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors='replace')
                except OSError:
                    break
            return re.search(pattern, self.text)
        return wait_until(found, seconds, f'the terminal shows {pattern}; it shows:\n{self.text}', [self.peer])

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
