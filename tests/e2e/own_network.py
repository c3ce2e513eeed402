"""A peer on a machine of its own as far as networks go: a network namespace, which holds its bridge and its rules.

The peer, its bridge, its firewall's rules and its allocations' namespaces exist only there: nothing of this machine
is touched, and all that an allocation's network leaves behind can be listed.
"""
import os
import shutil
import subprocess

import processes
from harness import Cluster, Peer, Skip, check

ADDRESS = '10.77.0.1'
SET_UP = f'''
ip link set lo up && ip link add lan0 type veth peer name lan1 && ip address add {ADDRESS}/24 dev lan0 &&
ip link set lan0 up && ip link set lan1 up &&
mkdir -p /run/gaggle /run/netns && mount -t tmpfs -o mode=0700 gaggle-e2e /run/gaggle &&
mount -t tmpfs gaggle-e2e /run/netns && mount -t tmpfs gaggle-e2e "$0" && echo ready && exec sleep infinity
'''


class OwnNetwork(Peer):
    """A peer on a machine of its own, as far as networks go; a process that sleeps holds its namespaces open."""

    def __init__(self, name, directory):
        super().__init__(name, ADDRESS, directory)
        self.http_address = '127.0.0.1'
        os.mkdir(self.data_dir, 0o700)
        self.holder = subprocess.Popen(['unshare', '--net', '--mount', 'sh', '-c', SET_UP, self.data_dir],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.expected.add(self.holder.pid)
        if self.holder.stdout.readline() != 'ready\n':
            raise Skip(f'no network and mounts of its own: {self.holder.stderr.read()}')
        self.mounts = os.readlink(f'/proc/{self.holder.pid}/ns/mnt')
        self.prefix = ['nsenter', '-t', str(self.holder.pid), '-m', '-n', '--']
        self.not_ours = set(self.mounted())

    def owns(self, pid):
        try:
            return super().owns(pid) or (pid != self.holder.pid and
                                         os.readlink(f'/proc/{pid}/ns/mnt') == self.mounts)
        except OSError:
            return False

    def seen(self, path):
        return f'/proc/{self.holder.pid}/root{path}'

    def leave(self):
        self.holder.kill()
        self.holder.wait()

    def on_machine(self, *command, must=True):
        """What a command says that is run on this machine."""
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, timeout=30)
        if must:
            check(done.returncode == 0, f'{command}: {done.stdout}{done.stderr}')
        return done.stdout

    def fetch(self, port):
        return self.on_machine('timeout', '3', 'busybox', 'wget', '-q', '-O', '-', f'http://{ADDRESS}:{port}/', must=False)

    def mounted(self):
        """Where namespaces and what belongs to allocations are mounted."""
        lines = self.on_machine('cat', '/proc/self/mountinfo').splitlines()
        return [line.split()[4] for line in lines if '/run/netns/' in line or self.data_dir + '/' in line]

    def traces(self):
        """Everything that an allocation's network may leave behind; the bridge and its empty chains stay for others."""
        rules = [line for line in self.on_machine('iptables-save').splitlines() if line.startswith('-A')]
        links = [line.split()[1] for line in self.on_machine('ip', '-o', 'link').splitlines()]
        addresses = self.on_machine('sh', '-c', 'ls /run/gaggle/cni/gaggle 2>/dev/null', must=False).split()
        return {'rules': [rule for rule in rules if 'GAGGLE-ADMIN' not in rule and 'CNI-HOSTPORT-' not in rule.split()[1]
                          and not rule.endswith(('-j CNI-FORWARD', '-j CNI-HOSTPORT-DNAT', '-j CNI-HOSTPORT-MASQ'))]
                + [rule for rule in rules if 'dnat name' in rule],
                'links': [link for link in links if link.startswith('veth')],
                'addresses': [name for name in addresses if name[0].isdigit()],
                'namespaces': self.on_machine('ls', '/run/netns').split(), 'mounts': [place for place in self.mounted() if place not in self.not_ours]}

    def clean(self):
        return not any(self.traces().values())


class OneMachine(Cluster):
    def __init__(self):
        needed = ('iptables', 'ip', 'unshare', 'nsenter', 'busybox')
        missing = [tool for tool in needed if not shutil.which(tool)]
        if os.geteuid() != 0 or missing or not os.path.exists('/usr/lib/cni/bridge'):
            raise Skip('needs root, containernetworking-plugins, iptables, iproute2, busybox-static: ' + ' '.join(missing))
        super().__init__(0)
        self.peers.append(OwnNetwork('a', self.directory))
        try:
            self.found()
            self.wait_voters(1)
        except BaseException:
            self.close()
            raise

    def close(self):
        super().close()
        self.peers[0].leave()
