"""Driver exec as the kernel shows it: a task's own root and namespaces, what limits it, and what rights it has.

test_kernels.py runs this file once more, under a kernel with control groups of version 2.
"""
import os

from harness import Cluster, Skip, check, check_says, lazily, wait_until
from jobs import SLEEP, job

cluster = lazily(lambda: Cluster(1).found())


def close():
    cluster.close()


def peer():
    """The cluster's one peer, if it can run such tasks."""
    one = cluster()[0]
    told = one.node()['Drivers']['exec']
    if not told['Healthy']:
        raise Skip(f'driver exec: {told["HealthDescription"]}')
    return one


def jailed(name, script, config='', **more):
    text = job(name, script, **more).replace('driver = "raw_exec"', 'driver = "exec"')
    return text.replace('config {', 'config {\n' + config)


def started(name, text=None, **more):
    """The first process of a task that sleeps, as this machine numbers it."""
    one = peer()
    one.run_job(text or jailed(name, SLEEP, **more))
    alloc = wait_until(lambda: one.all_allocs(name, 'running', 1), 60, f'{name} runs', [one])
    return wait_until(lambda: one.pids_of_allocs(alloc), 20, f'{name} has a process')[0]


def stop(*names):
    for name in names:
        peer().gctl('job', 'stop', '-purge', name)


MEGA = 1 << 20


class Group:
    """The control groups of a process, by controller; what version they are of."""

    def __init__(self, pid):
        with open(f'/proc/{pid}/cgroup') as file:
            paths = {names: path for _, names, path in (line.rstrip().split(':', 2) for line in file)}
        self.at = {}
        with open('/proc/mounts') as mounts:
            for _, place, kind, options in (line.split()[:4] for line in mounts):
                for names, path in paths.items():
                    if kind == 'cgroup' and set(names.split(',')) & set(options.split(',')):
                        self.at.update(dict.fromkeys(names.split(','), place + path))
                if kind == 'cgroup2':
                    self.at[''] = place + paths['']
        self.v2 = 'memory' not in self.at

    def read(self, controller, v1, v2):
        """What the file of the controller says; None when this kernel has it not."""
        folder = self.at[''] if self.v2 else self.at.get(controller, '')
        try:
            with open(os.path.join(folder, v2 if self.v2 else v1)) as file:
                return file.read().strip()
        except FileNotFoundError:
            return None


def status_of(pid):
    with open(f'/proc/{pid}/status') as status:
        return dict(line.rstrip('\n').split(':\t', 1) for line in status if ':\t' in line)


def test_exec_isolates():
    """A task of driver exec sees its own root and processes, cannot write the host's, and is killed above its limit."""
    key = 'template {\n data = "the key"\n destination = "secrets/key"\n perms = "0600"\n }'
    peer().run_job(jailed('jail', 'echo "pid $$"; id -un; ls /; touch /usr/x; echo "$NOMAD_TASK_DIR"; cat /secrets/key; '
                          'echo; stat -c "%a %U" /secrets; sleep 1', type='batch', task_extra=key))
    done = wait_until(lambda: peer().all_allocs('jail', 'complete', 1), 60, 'it completes', [peer()])[0]
    said = peer().gctl('alloc', 'logs', done['ID'][:8])
    check_says(said, r'pid 1\n', r'nobody\n', r'/local\n', r'the key\n', r'700 nobody\n')
    check('\nroot\n' not in said and '\nhome\n' not in said, f"the host's other folders are not there:\n{said}")
    check_says(peer().gctl('alloc', 'logs', '-stderr', done['ID'][:8]), 'Read-only file system')
    no_retry = 'restart {\n attempts = 0\n mode = "fail"\n }'
    never = 'reschedule {\n attempts = 0\n unlimited = false\n }'
    peer().run_job(jailed('eater', 'x=x; while :; do x=$x$x; done', type='batch', memory=16, task_extra=no_retry,
                          job_extra=never), expect=(0, 1))
    dead = wait_until(lambda: peer().all_allocs('eater', 'failed', 1), 60, 'it is killed', [peer()])[0]
    check_says(peer().gctl('alloc', 'status', dead['ID'][:8]), 'want of memory|OOM')


def test_exec_namespaces():
    """It has processes, ipc and mounts of its own, the host's where the job asks; what is the host's is read-only."""
    def shared(pid):
        names = ('pid', 'ipc', 'mnt', 'net')
        return {name for name in names if os.readlink(f'/proc/{pid}/ns/{name}') == os.readlink(f'/proc/self/ns/{name}')}
    pid = started('apart')
    check(shared(pid) == {'net'}, f'only the network is the host\'s: {shared(pid)}')
    with open(f'/proc/{pid}/mountinfo') as mounts:
        options = {line.split()[4]: line.split()[5].split(',') for line in mounts}
    hosts = {place for place in ('/bin', '/etc', '/lib', '/sbin', '/usr') if place in options}
    check({'/etc', '/usr'} <= hosts, f'the host\'s programs are there: {options}')
    check(all('ro' in options[place] for place in {*hosts, '/sys', '/proc/sys'}), f'read-only: {options}')
    check('rw' in options['/alloc'] and 'rw' in options['/'], f'its own it may write: {options}')
    pid = started('along', config='pid_mode = "host"\n ipc_mode = "host"')
    check(shared(pid) == {'net', 'pid', 'ipc'}, f'but its mounts all is the host\'s: {shared(pid)}')
    stop('apart', 'along')


def test_exec_limits():
    """The kernel's own files show the task's limits: memory hard and soft, no swap, shares, processors."""
    text = jailed('limited', SLEEP, cpu=150, memory=32).replace('cpu    = 150', 'cpu = 150\n memory_max = 48')
    group = Group(started('limited', text))
    for controller, v1, v2, expected_v1, expected_v2 in (
            ('memory', 'memory.limit_in_bytes', 'memory.max', 48 * MEGA, 48 * MEGA),
            ('memory', 'memory.soft_limit_in_bytes', 'memory.low', 32 * MEGA, 32 * MEGA),
            ('memory', 'memory.swappiness', 'memory.swap.max', 0, 0),
            ('cpu', 'cpu.shares', 'cpu.weight', 150, 1 + (150 - 2) * 9999 // 262142)):
        found, expected = group.read(controller, v1, v2), expected_v2 if group.v2 else expected_v1
        without_swap = found is None and 'swap' in v2  # a kernel built without any
        check(without_swap or found == str(expected), f'{v2 if group.v2 else v1} is {found}, not {expected}')
    pid = started('plain', jailed('plain', SLEEP, cpu=1, memory=32))
    group = Group(pid)
    check(group.read('memory', 'memory.limit_in_bytes', 'memory.max') == str(32 * MEGA), 'memory alone is the hard limit')
    check(group.read('cpu', 'cpu.shares', 'cpu.weight') == ('1' if group.v2 else '2'), 'there is a least share')
    stop('limited', 'plain')
    if not (group.v2 or 'cpuset' in group.at) or group.read('cpuset', 'cpuset.cpus', 'cpuset.cpus') is None:
        return  # this kernel divides no processors
    text = jailed('kept', SLEEP).replace('cpu    = 20', 'cores = 1')
    pid = started('kept', text)
    cpus = Group(pid).read('cpuset', 'cpuset.cpus', 'cpuset.cpus')
    check(cpus.isdigit() and status_of(pid)['Cpus_allowed_list'] == cpus, f'one processor of its own: {cpus}')
    check(Group(pid).read('cpu', 'cpu.shares', 'cpu.weight') == ('39' if group.v2 else '1024'), 'the share of a whole one')
    stop('kept')


# capabilities(7), and which of them docs/tasks.md names.
NUMBERS = {'chown': 0, 'dac_override': 1, 'fowner': 3, 'fsetid': 4, 'kill': 5, 'setgid': 6, 'setuid': 7, 'setpcap': 8,
           'net_bind_service': 10, 'net_raw': 13, 'sys_chroot': 18, 'mknod': 27, 'audit_write': 29, 'setfcap': 31}
DEFAULT = set(NUMBERS) - {'net_raw'}


def rights(pid):
    """The sets that the kernel shows, as names; a number where it is none of those."""
    names = {number: name for name, number in NUMBERS.items()}
    masks = {name: int(value, 16) for name, value in status_of(pid).items() if name.startswith('Cap')}
    return {name: {names.get(bit, bit) for bit in range(64) if mask >> bit & 1} for name, mask in masks.items()}


def check_rights(pid, bounding, kept, inherited):
    expected = {'CapBnd': bounding, 'CapEff': kept, 'CapPrm': kept, 'CapInh': inherited, 'CapAmb': inherited}
    check(rights(pid) == expected, f'the kernel shows {rights(pid)}, not {expected}')
    check(status_of(pid)['NoNewPrivs'] == '0', 'setuid programs work')


def test_exec_rights():
    """What it may do is the documented list and what the job adds and drops: as nobody, and as root where allowed."""
    pid = started('nobody')
    check(status_of(pid)['Uid'].split() == ['65534'] * 4, 'nobody runs it')
    check_rights(pid, DEFAULT, set(), set())
    named = {'net_bind_service'}
    pid = started('adds', config='cap_add = ["net_bind_service"]\n cap_drop = ["mknod"]')
    check_rights(pid, DEFAULT - {'mknod'}, named, named)
    stop('nobody', 'adds')
    never = 'reschedule {\n attempts = 0\n unlimited = false\n }'
    root = {'config': 'cap_add = ["net_raw"]', 'task_extra': 'user = "root"', 'job_extra': never}
    peer().run_job(jailed('refused', SLEEP, **root), expect=(0, 1))
    refused = wait_until(lambda: peer().all_allocs('refused', 'failed', 1), 60, 'it is refused', [peer()])[0]
    check_says(peer().gctl('alloc', 'status', refused['ID'][:8]), 'no task as root on this peer')
    one = peer()
    one.stop()
    one.start('--exec-root', 'on', '--allow-caps', 'net_raw')
    pid = started('root', **root)
    check(status_of(pid)['Uid'].split() == ['0'] * 4, 'root runs it')
    check_rights(pid, DEFAULT | {'net_raw'}, DEFAULT | {'net_raw'}, set())
    stop('root')


def test_exec_that_cannot_start_says_why():
    """A command of driver exec that is missing or not executable fails for good, in words; nothing of it is left."""
    never = 'reschedule {\n attempts = 0\n unlimited = false\n }'
    for name, command, why in (('gone', '/no/such/program', 'No such file or directory; install it on this peer'),
                               ('plain', '/etc/passwd', 'it is not executable; give it a mode such as 0755')):
        text = jailed(name, 'echo ran', type='batch', job_extra=never)
        peer().run_job(text.replace('command = "/bin/sh"', f'command = "{command}"'), expect=(0, 1))
        failed = wait_until(lambda: peer().all_allocs(name, 'failed', 1), 60, f'{name} fails', [peer()])[0]
        check_says(peer().gctl('alloc', 'status', failed['ID'][:8]), 'Driver Failure',
                   f'find executable "{command}": {why}')
        check(peer().alloc(failed['ID'])['TaskStates']['t']['Restarts'] == 0, 'another try would not help')
        check(not peer().pids_of_allocs([failed]), 'nothing of it runs')
