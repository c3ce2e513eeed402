"""What a test says about the world: conditions with deadlines, and expectations in words."""
import os
import re
import time

PATIENCE = float(os.environ.get('GAGGLE_E2E_PATIENCE', '1'))  # multiplies every deadline
TAIL_LINES = 25


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


class Failed(AssertionError):
    """A condition that did not come true, or a command that should have worked."""


def wait_until(condition, seconds, what, peers=()):
    """The condition's first true value. A command that fails while waiting only means "not yet". `what` may be a function: its
    text is then that of the moment when the wait was in vain."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        try:
            value = condition()
            if value:
                return value
            last = f'the condition gave {value!r}'
        except Failed as failure:
            last = str(failure)
        if time.monotonic() > end:
            said = what() if callable(what) else what
            raise Failed(f'waited {seconds * PATIENCE:.0f} s in vain: {said}\n  last: {last}' + tails(peers))
        time.sleep(0.05)


def tails(peers):
    """The end of each agent's log, and what became of it."""
    out = ''
    for peer in peers:
        lines = peer.log_text().splitlines()[-TAIL_LINES:]
        out += f'\n--- log of {peer.name} ({peer.address}, {peer.condition()}):\n' + '\n'.join(lines)
    return out


def check(true, what):
    """An assertion that says in words what was expected."""
    if not true:
        raise Failed(what)


def check_says(text, *parts):
    """Every part is a regular expression that must match somewhere in the text."""
    for part in parts:
        if not re.search(part, text, re.S | re.I):
            raise Failed(f'expected a text that matches /{part}/, got:\n{text}')
