"""A terminal with `gctl` in it, as a person would have it."""
import fcntl
import os
import pty
import re
import select
import struct
import termios

from peer import GCTL, environment
from waiting import Failed, wait_until


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


class Terminal:
    """gctl in a terminal of its own."""

    def __init__(self, peer, *args, rows=30, columns=100):
        self.peer = peer
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            resize(0, rows, columns)
            command = [*peer.prefix, GCTL, *args]
            os.execvpe(command[0], command, environment(peer.http_address))
        self.text = ''

    def resize(self, rows, columns):
        resize(self.fd, rows, columns)

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
        try:
            return wait_until(found, seconds, f'the terminal shows {pattern}', [self.peer])
        except Failed as failure:
            raise Failed(f'{failure}\nThe terminal shows:\n{self.text}') from None

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
