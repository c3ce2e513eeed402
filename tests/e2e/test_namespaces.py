"""Three machines as far as one kernel can play them: network namespaces with addresses and mounts of their own."""
import os
import shutil
import subprocess

import processes
from harness import Cluster, Peer, Skip, check, wait_until
from jobs import SLEEP, job, lost_after

BRIDGE = f'gag{os.getpid() % 100000}'
NETWORK = f'10.{60 + os.getpid() % 100}.{os.getpid() // 100 % 250}'


def run(command, must=True):
    made = subprocess.run(command.split(), capture_output=True, text=True)
    if must and made.returncode != 0:
        raise OSError(f'{command}: {made.stderr.strip()}')


def lay_out(names):
    """A bridge, and for each name a namespace that hangs on it by a veth pair."""
    run(f'ip link add {BRIDGE} type bridge')
    run(f'ip link set {BRIDGE} up')
    for number, name in enumerate(names, 1):
        space = f'{BRIDGE}-{name}'
        run(f'ip netns add {space}')
        run(f'ip link add {BRIDGE}{name} type veth peer name eth0 netns {space}')
        run(f'ip link set {BRIDGE}{name} master {BRIDGE} up')
        run(f'ip -n {space} address add {NETWORK}.{number}/24 dev eth0')
        run(f'ip -n {space} link set eth0 up')
        run(f'ip -n {space} link set lo up')


def take_down(names):
    for name in names:
        run(f'ip netns delete {BRIDGE}-{name}', must=False)
    run(f'ip link delete {BRIDGE}', must=False)


class Machine(Peer):
    """A peer in a network namespace, and in a mount namespace with a data directory and a /run/gaggle of its own.

    A process that only sleeps holds both namespaces open; every command enters through it.
    """

    def __init__(self, name, address, directory):
        super().__init__(name, address, directory)
        self.http_address = '127.0.0.1'  # each has a loopback of its own
        os.mkdir(self.data_dir, 0o700)
        mount = f'mount -t tmpfs gaggle-e2e {self.data_dir} && mkdir -p /run/gaggle && ' \
                'mount -t tmpfs -o mode=0700 gaggle-e2e /run/gaggle && echo ready && exec sleep infinity'
        self.holder = subprocess.Popen(['ip', 'netns', 'exec', f'{BRIDGE}-{name}', 'unshare', '--mount', 'sh', '-c',
                                        mount], stdout=subprocess.PIPE, text=True)
        processes.expected.add(self.holder.pid)
        if self.holder.stdout.readline() != 'ready\n':
            raise Skip('no mounts of its own for a namespace')
        self.namespace = os.readlink(f'/proc/{self.holder.pid}/ns/net')
        self.prefix = ['nsenter', '-t', str(self.holder.pid), '-m', '-n', '--']

    def owns(self, pid):
        try:
            return pid != self.holder.pid and os.readlink(f'/proc/{pid}/ns/net') == self.namespace
        except OSError:
            return False

    def leave(self):
        self.holder.kill()
        self.holder.wait()


def test_network_namespaces():
    """Peers in network namespaces, each on its own address: a region forms, a cut peer is replaced and comes back."""
    if os.geteuid() != 0 or not shutil.which('ip'):
        raise Skip('needs root and iproute2')
    names = ['a', 'b', 'c']
    try:
        lay_out(names)
    except OSError as problem:
        take_down(names)
        raise Skip(f'no network namespaces here: {problem}') from None
    cluster = Cluster(0)
    try:
        for number, name in enumerate(names, 1):
            cluster.peers.append(Machine(name, f'{NETWORK}.{number}', cluster.directory))
        region_in_namespaces(cluster)
    finally:
        cluster.close()
        for machine in cluster:
            machine.leave()
        take_down(names)


def region_in_namespaces(cluster):
    cluster.form()
    cluster[0].run_job(job('spaces', SLEEP, group_extra=lost_after('2s')))
    alloc = wait_until(lambda: cluster[0].all_allocs('spaces', 'running', 1), 40, 'it runs', cluster.peers)[0]
    cut = cluster.peer_of(alloc)
    others = [p for p in cluster if p is not cut]
    pids = cut.steady_pids()
    run(f'ip link set {BRIDGE}{cut.name} down')
    new = wait_until(lambda: others[0].replacement('spaces', alloc), 120, 'it runs on the majority\'s side', others)
    check(cut.steady_pids() == pids, 'the cut side goes on meanwhile')
    wait_until(lambda: not cut.ask('region', 'status')['HasQuorum'], 30, 'the cut side says so', cluster.peers)
    run(f'ip link set {BRIDGE}{cut.name} up')
    wait_until(lambda: others[0].member(cut.name)['Status'] == 'alive', 60, 'it heals by itself', cluster.peers)
    wait_until(lambda: [p.name for p in cluster if p.pids_of_job('spaces')] == [new['NodeName']], 60,
               'and the doubled allocation ends', cluster.peers)
