"""Who belongs to whom: the processes that a test started, whatever became of their parents.

Tasks outlive their agent, so killing an agent orphans their supervisors. This process makes itself the
"subreaper" of all that it starts: orphans become its own children instead of init's, and nothing that a
test started can get out of its sight. Only such processes are ever signalled; and, when their parent is gone
because somebody kept them, those whose data lies in a directory that we made (`belonging`).
"""
import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """From now on every orphaned descendant becomes a child of this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl(PR_SET_CHILD_SUBREAPER)')


def descendants(*roots):
    """Process ids below `roots` (none: this process), parents before children. Zombies are left out."""
    children = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            state, parent = state_and_parent(int(name))
            if state not in ('', 'Z', 'X'):
                children.setdefault(parent, []).append(int(name))
    found = []
    waiting = list(roots or [os.getpid()])
    while waiting:
        below = sorted(children.get(waiting.pop(0), []))
        found += below
        waiting += below
    return found


def with_descendants(pids):
    """These and all below them, sorted."""
    return sorted({*pids, *descendants(*pids)}) if pids else []


def state_and_parent(pid):
    """('S', 1), say; ('', 0) when there is no such process."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            after_name = stat.read().rpartition(')')[2].split()
        return after_name[0], int(after_name[1])
    except (OSError, IndexError):
        return '', 0


def alive(pid):
    return state_and_parent(pid)[0] not in ('', 'Z', 'X')


def command_of(pid):
    """Its words with blanks between them; empty when there is no such process."""
    try:
        with open(f'/proc/{pid}/cmdline') as words:
            return words.read().rstrip('\0').replace('\0', ' ')
    except OSError:
        return ''


def name_of(pid):
    """The program's name, at most 15 characters of it."""
    try:
        with open(f'/proc/{pid}/comm') as comm:
            return comm.read().strip()
    except OSError:
        return ''


def environment_of(pid):
    """What the process was started with."""
    try:
        with open(f'/proc/{pid}/environ', 'rb') as environ:
            pairs = environ.read().decode(errors='replace').split('\0')
    except OSError:
        return {}
    return dict(pair.split('=', 1) for pair in pairs if '=' in pair)


def command_of(pid):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as cmdline:
            return cmdline.read().replace(b'\0', b' ').decode(errors='replace').strip()
    except OSError:
        return ''


def uses(pid, directory):
    """True when the process works in `directory`, has a file open below it, or was told of it."""
    folder = f'/proc/{pid}'
    try:
        if os.readlink(f'{folder}/cwd').startswith(directory):
            return True
        with open(f'{folder}/environ', 'rb') as environ:
            if directory.encode() in environ.read():
                return True
        return any(target_of(f'{folder}/fd/{fd}').startswith(directory) for fd in os.listdir(f'{folder}/fd'))
    except OSError:
        return False


def target_of(link):
    """Where it leads; '' when it is gone: a process closes descriptors while we look at them."""
    try:
        return os.readlink(link)
    except OSError:
        return ''


def belonging(directory):
    """Agents with their data below `directory`, supervisors that write there, tasks that were told of it, and all
    that came of those, whoever is their parent now. A shell or a pager that merely looks there is not among them."""
    def below(path):
        return path.startswith(directory + '/')

    def one_of_ours(pid):
        words = command_of(pid).split()
        if name_of(pid) == 'gctl':
            return words[1:2] == ['agent'] and any(map(below, words))
        if name_of(pid) == 'gctl-shim':
            return uses(pid, directory + '/')
        return below(environment_of(pid).get('NOMAD_ALLOC_DIR', ''))
    firsts = [pid for pid in map(int, filter(str.isdigit, os.listdir('/proc'))) if alive(pid) and one_of_ours(pid)]
    return with_descendants(firsts)


def send(pid, number):
    """False when it is gone already."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def reap():
    """Takes the exit status of adopted orphans; children that somebody waits for are not touched."""
    for pid in [p for p in map(int, filter(str.isdigit, os.listdir('/proc')))
                if state_and_parent(p) == ('Z', os.getpid()) and p not in expected]:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


expected = set()  # children with a Popen object: it takes their exit status itself


def kill_all(pids_of, seconds=10):
    """Kills what `pids_of()` lists until it lists nobody; those that appear meanwhile too."""
    end = time.monotonic() + seconds
    while pids := pids_of():
        for pid in pids:
            send(pid, signal.SIGKILL)
        reap()
        if time.monotonic() > end:
            raise TimeoutError(f'processes {pids} do not die: ' + '; '.join(map(command_of, pids)))
        time.sleep(0.01)
