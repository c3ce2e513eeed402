"""Another kernel than this machine's, as a process: User Mode Linux, of Debian's package user-mode-linux.

Some of what we rely on this machine's kernel may not have: control groups of version 2 with controllers, a file system
that keeps books by project. That one has them. It boots in a second, sees all files of this machine read-only (but
for a /tmp and a /run of its own), runs one command as its root, and halts. Its control groups are of version 2 alone.
"""
import os
import re
import shutil
import subprocess
import tempfile

import processes
from harness import ROOT, Failed, Skip
from waiting import PATIENCE

INIT = '''#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t tmpfs run /run || exit
mkdir -p /run/checkout /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
mount --bind {root} /run/checkout && mount -t tmpfs tmp /tmp || exit
mount -t cgroup2 groups /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo +$controller > /sys/fs/cgroup/cgroup.subtree_control
done
for module in {modules}; do
    busybox insmod "$(find /usr/lib/uml/modules/$(uname -r) -name $module.ko)"
done
ip link set lo up
echo 'booted another kernel'
cd /run/checkout && {command}
echo "the command ended with $?"
busybox poweroff -f
'''


def run_under(command, seconds, modules=()):
    """What the shell's `command` says under another kernel, from the checkout's root. It must end well."""
    if not shutil.which('linux.uml'):
        raise Skip('no linux.uml here: install user-mode-linux (tests/install-packages)')
    with tempfile.TemporaryDirectory(prefix='gaggle-kernel-') as folder:
        init = os.path.join(folder, 'init')
        with open(init, 'w') as file:
            file.write(INIT.format(root=ROOT, command=command, modules=' '.join(modules)))
        os.chmod(init, 0o755)
        kernel = subprocess.Popen(
            ['linux.uml', 'mem=1G', 'rootfstype=hostfs', 'rootflags=/', 'ro', 'init=' + init, 'uml_dir=' + folder + '/',
             'con=null', 'con0=null,fd:1', 'quiet'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace', start_new_session=True)
        processes.expected.add(kernel.pid)
        try:
            said, _ = kernel.communicate(timeout=seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            processes.kill_all(lambda: [*processes.descendants(kernel.pid), *([kernel.pid] if kernel.poll() is None else [])])
            said = kernel.communicate()[0] + f'\n(it was killed after {seconds * PATIENCE:.0f} s)'
    said = re.sub(r'\x1b\[[0-9;]*m|\r', '', said)
    if 'booted another kernel\n' not in said:
        raise Skip('User Mode Linux does not boot here:\n' + said[-1500:])
    if 'the command ended with 0\n' not in said:
        raise Failed(f'under another kernel, {command}:\n{said}')
    return said
