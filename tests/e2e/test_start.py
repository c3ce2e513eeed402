"""What keeps an agent from starting, each with one clear line, and nothing changed on disk.

Unit tests of the same lines: store formats and damage in tests/gctl/store/damage_test.cc, used ports in
tests/crypto/peer_socket_test.cc and tests/gctl/agent/http_test.cc, used directories in
tests/gctl/agent/cluster_test.cc.
"""
import glob
import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile

import processes
from harness import (GCTL, HTTP_PORT, Cluster, DevPeer, Skip, check, check_says, environment, free_network, run_gctl,
                     wait_until)
from jobs import COUNT_ALOUD, SLEEP, job


def refused(peer, *options, seconds=30):
    """Starts the agent, which must end by itself with 1; what it said."""
    before = len(peer.log_text())
    peer.start(*options, ready=False)
    status = wait_until(lambda: (peer.process.poll() is not None) and [peer.process.returncode], seconds,
                        'the agent refuses to start', [peer])[0]
    said = peer.log_text()[before:]
    check(status == 1, f'it ended with {status}:\n{said}')
    return said


def test_without_a_cluster():
    """An agent without cluster data refuses to start and names both commands."""
    with Cluster(1) as cluster:
        check_says(refused(cluster[0]), 'gctl cluster init', '--invitation-file')
        check(not os.path.exists(cluster[0].data_dir) or not os.listdir(cluster[0].data_dir), 'nothing was made')


def test_second_agent_on_a_used_directory():
    """A second agent on the same data directory is refused by the first one's pid; the first goes on."""
    with Cluster(1) as cluster:
        first = cluster.form()[0]
        second = first.twin()
        said = refused(second, '--bind', second.address.rsplit('.', 1)[0] + '.9')
        check_says(said, 'used by another agent', str(first.process.pid))
        check(first.members(), 'the first one answers')
        again = run_gctl('cluster', 'init', '--data-dir', first.data_dir)
        check(again.returncode != 0, 'a used directory is not founded again')
        check_says(again.stderr + again.stdout, 'region|identity|used')


def test_used_ports():
    """A used port, of the peers or of HTTP, is named with what to do."""
    for port in (4647, 4648, 4649, HTTP_PORT):
        with Cluster(1) as cluster, socket.socket() as taken:
            peer = cluster[0]
            taken.bind((peer.address, port))
            taken.listen()
            made = run_gctl('cluster', 'init', '--data-dir', peer.data_dir, '--bind', peer.address)
            check(made.returncode == 0, made.stderr)
            check_says(refused(peer), str(port), peer.address, 'in use|used')


def test_unknown_format():
    """A data directory of an unknown format is refused and left exactly as it was."""
    with Cluster(1) as cluster:
        peer = cluster.form()[0]
        check(peer.stop() == 0, 'a stopped agent ends with 0')
        with open(os.path.join(peer.data_dir, 'FORMAT'), 'w') as file:
            file.write('gaggle 99\n')
        before = tree(peer.data_dir)
        check_says(refused(peer), 'format', 'gaggle 99')
        check(tree(peer.data_dir) == before, 'nothing was changed')


def tree(directory):
    """Paths and contents below it, without the lock and the token."""
    out = {}
    for path in glob.glob(directory + '/**', recursive=True, include_hidden=True):
        if os.path.isfile(path) and os.path.basename(path) not in ('LOCK', 'http-token'):
            with open(path, 'rb') as file:
                out[path] = file.read()
    return out


def test_truncated_log():
    """A cut LevelDB log on one of three voters is told, votes for nothing, and costs the region nothing."""
    with Cluster(3) as cluster:
        cluster.form()
        cluster[0].run_job(job('kept', SLEEP))
        wait_until(lambda: cluster[0].all_allocs('kept', 'running', 1), 40, 'it runs', cluster.peers)
        peer = cluster.not_leader()
        others = [p for p in cluster if p is not peer]
        peer.kill()
        log = max(glob.glob(peer.data_dir + '/log/*.log'), key=os.path.getsize)
        os.truncate(log, os.path.getsize(log) // 2)
        before = len(peer.log_text())
        peer.start(ready=False)

        cut = 'forgotten what it acknowledged|corrupt|damaged'  # which one depends on where the cut falls
        wait_until(lambda: re.search(cut, peer.log_text()[before:], re.I), 30, 'the cut log is told', [peer])
        if peer.process.poll() is None:
            peer.wait_ready()
            wait_until(lambda: peer.job('kept')['ID'] == 'kept', 60, 'it serves the API as a spare', cluster.peers)
        check(all(p.ask('region', 'status')['HasQuorum'] for p in others), 'the others have their quorum')
        check(others[0].job('kept')['ID'] == 'kept', 'the job is known as before')


def test_full_disk():
    """A full disk ends that peer's replica, not its agent, its tasks or the region."""
    if os.geteuid() != 0:
        raise Skip('needs root, to mount a small file system')
    with Cluster(3) as cluster:
        peer = cluster[2]
        os.mkdir(peer.data_dir, 0o700)
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=48m', 'gaggle-e2e', peer.data_dir])
        if mounted.returncode != 0:
            raise Skip('a tmpfs cannot be mounted here')
        try:
            fill_the_disk_of(peer, cluster)
        finally:
            processes.kill_all(cluster.pids)
            subprocess.run(['umount', '-l', peer.data_dir], check=True)


def fill_the_disk_of(peer, cluster):
    cluster.form()
    here = f'constraint {{\n attribute = "${{node.unique.name}}"\n value = "{peer.name}"\n }}'
    peer.run_job(job('full', COUNT_ALOUD, job_extra=here))
    wait_until(lambda: peer.all_allocs('full', 'running', 1), 40, 'it runs on the small disk', cluster.peers)
    before = peer.steady_pids()
    with open(os.path.join(peer.data_dir, 'ballast'), 'wb') as ballast:
        try:
            while True:
                ballast.write(b'x' * 65536)
                ballast.flush()
        except OSError:
            pass
    numbers = itertools.count()

    def told():  # a page that is written already may have room for some entries
        cluster[0].run_job(job(f'other-{next(numbers)}', SLEEP, count=0), '--detach')
        return 'No space left' in peer.log_text()
    wait_until(told, 60, 'the full disk is told', cluster.peers)
    check(peer.running(), 'the agent lives on')
    check(peer.steady_pids() == before, 'its task runs on, the same process')
    check(cluster[0].ask('region', 'status')['HasQuorum'], 'the region has its quorum')
    wait_until(lambda: peer.members(), 20, 'the API answers at that peer, too', cluster.peers)


def test_dev_without_root():
    """`gctl agent --dev` works for a user who is not root, and runs tasks as that user."""
    prefix, home = [], None
    if os.geteuid() == 0:
        if not shutil.which('setpriv'):
            raise Skip('setpriv is missing')
        prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
        home = tempfile.mkdtemp(prefix='gaggle-e2e-nobody-')
        os.chown(home, 65534, 65534)
    try:
        with DevPeer(prefix=prefix, home=home) as peer:
            peer.run_job(job('who', 'id -u; ' + SLEEP))
            alloc = wait_until(lambda: peer.all_allocs('who', 'running', 1), 40, 'it runs', [peer])[0]
            said = wait_until(lambda: peer.gctl('alloc', 'logs', alloc['ID'][:8]).split(), 20, 'it speaks', [peer])
            check(said == [str(65534 if prefix else os.geteuid())], f'the task runs as {said}')
    finally:
        if home:
            shutil.rmtree(home, ignore_errors=True)


def test_wide_bind_is_refused():
    """The HTTP API on all addresses is refused as long as there is no TLS, and the reason is told."""
    made = subprocess.run([GCTL, 'agent', '--dev', '--bind', free_network() + '.1', '--http-bind', '0.0.0.0'],
                          capture_output=True, text=True, timeout=30, env=environment())
    check(made.returncode == 1, f'it ended with {made.returncode}: {made.stderr}')
    check_says(made.stderr + made.stdout, 'TLS', '0.0.0.0')
