"""Real peers on loopback addresses, made, used and cleared away through the command line.

A Cluster is a temporary directory with one data directory per peer; a Peer is one `gctl agent` process with
an address of its own, so that all use the usual ports. Every wait is for a condition, with a deadline, and a
wait in vain shows the end of every agent's log. Nothing here is a stand-in: founding, invitation and joining go
through `gctl`, and so does whatever a test wants to know.
"""
import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time

import processes
import tokens
from peer import GCTL, HTTP_PORT, ROOT, Peer, environment, run_gctl
from tokens import published_token
from waiting import Failed, Skip, check, check_says, wait_until

__all__ = ['GCTL', 'HTTP_PORT', 'ROOT', 'Cluster', 'DevPeer', 'Failed', 'Peer', 'Skip', 'check', 'check_says',
           'clear_away', 'environment', 'free_network', 'lazily', 'published_token', 'run_gctl', 'wait_until']

_given = set()


def free_network():
    """A /24 of 127.0.0.0/8 in which nobody listens on the API's port, e.g. '127.61.7'; each call another."""
    for attempt in range(1000):
        number = (os.getpid() * 7 + attempt * 13) % (200 * 250)
        network = f'127.{20 + number // 250}.{1 + number % 250}'
        with socket.socket() as probe:
            try:
                probe.bind((f'{network}.1', HTTP_PORT))
            except OSError:
                continue
        if network not in _given:
            _given.add(network)
            return network
    raise Failed('no free loopback network')


class lazily:
    """What the tests of a file share: made at the first call, closed with close()."""

    def __init__(self, make):
        self.make = make
        self.made = None

    def __call__(self):
        if self.made is None:
            self.made = self.make()
        return self.made

    def close(self):
        if self.made is not None:
            self.made.close()


class Cluster:
    """Peers a, b, c, ... of one region. Use it in a `with`, or call close()."""

    def __init__(self, count, network=None):
        self.directory = tempfile.mkdtemp(prefix='gaggle-e2e-')
        os.chmod(self.directory, 0o755)
        network = network or free_network()
        self.peers = [Peer(chr(ord('a') + i), f'{network}.{i + 1}', self.directory) for i in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __getitem__(self, index):
        return self.peers[index]

    def __iter__(self):
        return iter(self.peers)

    def form(self, voters=None):
        """Founds the region at the first peer, lets the others join, waits for the voters."""
        try:
            self.found()
            if len(self.peers) > 1:
                invitation = self.invite(uses=len(self.peers) - 1)
                for peer in self.peers[1:]:
                    self.join(peer, invitation, ready=False)
                for peer in self.peers[1:]:
                    peer.wait_ready(peers=self.peers)
            self.wait_voters(voters or (3 if len(self.peers) >= 3 else 1))
        except BaseException:
            self.close()
            raise
        return self

    def found(self, options=()):
        first = self.peers[0]
        made = run_gctl('cluster', 'init', '--data-dir', first.data_dir, '--name', first.name,
                        '--bind', first.address, prefix=first.prefix)
        check(made.returncode == 0, f'gctl cluster init failed: {made.stdout}{made.stderr}')
        first.start(*options)
        return self

    def invite(self, uses=1, options=()):
        """The path of a file with a new invitation."""
        first = self.peers[0]
        made = run_gctl('cluster', 'invite', '--data-dir', first.data_dir, '--uses', uses, *options,
                        address=first.http_address, prefix=first.prefix)
        check(made.returncode == 0, f'gctl cluster invite failed: {made.stdout}{made.stderr}')
        path = os.path.join(self.directory, f'invitation-{time.monotonic_ns()}')
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), 'w') as file:
            file.write(made.stdout)
        return path

    def join(self, peer, invitation, ready=True):
        peer.start('--bind', peer.address, '--name', peer.name, '--invitation-file', invitation, ready=False)
        if ready:
            peer.wait_ready(peers=self.peers)

    def wait_voters(self, count, seconds=90):
        def enough():
            region = next(p for p in self.peers if p.running()).ask('region', 'status')
            voters = [m for m in region['Members'] if m['Role'] == 'voter']
            return len(voters) == count and region['HasQuorum']
        wait_until(enough, seconds, f'the region has {count} voters', self.peers)

    def peer_of(self, alloc):
        """Who runs this allocation."""
        return next(p for p in self.peers if p.name == alloc['NodeName'])

    def not_leader(self):
        """A voter that does not lead now."""
        region = self.peers[0].ask('region', 'status')
        names = [m['Name'] for m in region['Members'] if m['Role'] == 'voter' and not m['Leader']]
        return next(p for p in self.peers if p.name in names)

    def pids(self):
        """Every process that came of this cluster."""
        agents = [p.process.pid for p in self.peers if p.running()]
        loose = [pid for pid in processes.descendants()
                 if processes.uses(pid, self.directory) or any(p.owns(pid) for p in self.peers)]
        return sorted({*processes.with_descendants(agents), *loose})

    def close(self):
        """Ends every process that came of this cluster, then removes its directory and its tokens."""
        clear_away(self.directory, self.pids, self.peers)


def clear_away(directory, pids_of, peers=()):
    """Kills what `pids_of()` lists, takes the agents' exit status, removes the directory and what it published."""
    processes.kill_all(pids_of)
    for peer in peers:
        if peer.process is not None:
            peer.process.wait(10)
    tokens.withdraw(directory)
    unmount_below(directory)
    shutil.rmtree(directory, ignore_errors=True)


def unmount_below(directory):
    """What killed agents had mounted there: the secrets of tasks, mostly."""
    with open('/proc/self/mounts') as mounts:
        places = [line.split()[1] for line in mounts if line.split()[1].startswith(directory + '/')]
    for place in reversed(places):
        subprocess.run(['umount', '--lazy', place], check=False)


class DevPeer(Peer):
    """`gctl agent --dev`: started at once, ready when made. With `prefix` it runs as somebody else at `home`."""

    def __init__(self, prefix=(), home=None, options=(), keeps_data=True):
        directory = home or tempfile.mkdtemp(prefix='gaggle-e2e-')
        super().__init__('dev', free_network() + '.1', directory, prefix)
        self.keeps_data = keeps_data
        if prefix:  # another user may not be able to reach our build directory
            self.program = os.path.join(directory, 'gctl')
            for program in ('gctl', 'gctl-shim', 'gctl-fetch'):
                shutil.copy(os.path.join(os.path.dirname(GCTL), program), directory)
        try:
            self.start('--dev', '--bind', self.address, '--name', self.name, *options)
            if not keeps_data:
                self.data_dir, = glob.glob(os.path.join(directory, 'gaggle-dev-*'))
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        def pids():
            return [*([self.process.pid] if self.running() else []), *self.task_pids()]
        clear_away(self.directory, pids, [self])
