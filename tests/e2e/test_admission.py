"""Who gets in: invitations that are expired, garbled, used up or for another cluster, strangers, expulsion.

The rules themselves are tabled in tests/crypto/invitation_test.cc and hostile_test.cc (a stranger's key, random
bytes on bare sockets); here real agents are asked.
"""
import os
import socket
import time

from harness import Cluster, check, check_says, lazily, wait_until
from jobs import SLEEP, job
from test_start import refused

region = lazily(lambda: Cluster(3).found())


def close():
    region.close()


def newcomer():
    """A peer that has not joined yet: the third one, with nothing on its disk."""
    return region()[2]


def knock(invitation):
    peer = newcomer()
    return refused(peer, '--bind', peer.address, '--name', peer.name, '--invitation-file', invitation)


def test_expired_invitation():
    """An expired invitation is refused, and says that it is expired."""
    invitation = region().invite(options=['--expires', '1s'])
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 1.5, 5, 'the second is over')
    check_says(knock(invitation), 'expired')


def test_garbled_invitation():
    """A garbled, cut or foreign text is refused before anybody is asked."""
    with open(region().invite()) as file:
        text = file.read().strip()
    for bad, says in ((text[:40] + ('A' if text[40] != 'A' else 'B') + text[41:], 'garbled|checksum'),
                      (text[:-20], 'garbled|checksum'), ('hello', 'gctl cluster invite'), ('', 'invitation')):
        path = os.path.join(region().directory, 'garbled')
        with open(path, 'w') as file:
            file.write(bad)
        check_says(knock(path), says)


def test_used_up_invitation():
    """An invitation for one peer admits one; the second is refused and told to ask for a new one."""
    cluster = region()
    invitation = cluster.invite(uses=1)
    cluster.join(cluster[1], invitation)
    wait_until(lambda: len(cluster[0].members()) == 2, 30, 'both know each other', cluster.peers)
    check_says(knock(invitation), 'used', 'gctl cluster invite')


def test_peer_of_another_cluster():
    """A peer of another cluster stays outside: its invitation, its keys and its data directory are its own."""
    cluster = region()
    with Cluster(1) as other:
        other.found()
        stranger = other[0]
        said = refused(stranger.twin(), '--invitation-file', cluster.invite(), '--bind', newcomer().address)
        check_says(said, 'another cluster|used by another agent')
        check(stranger.stop() == 0, 'stopped')
        check_says(refused(stranger, '--invitation-file', cluster.invite()), 'another cluster')
        stranger.start()
        check(len(stranger.members()) == 1, 'the stranger knows itself only')
    names = sorted(m['Tags']['id'] for m in cluster[0].members())
    check(len(set(names)) == len(names) and len(names) <= 2, f'nobody came in: {names}')


def test_random_bytes_on_each_peer_port():
    """Random bytes on each peer port do no harm: the agent goes on, its region too."""
    peer = region()[0]
    for port in (4647, 4648, 4649):
        for round_number in range(20):
            with socket.create_connection((peer.address, port), timeout=10) as wire:
                try:
                    wire.sendall(os.urandom(1 + 997 * round_number))
                except ConnectionError:
                    pass
    check(peer.running(), 'the agent lives')
    peer.run_job(job('after', SLEEP))
    wait_until(lambda: peer.all_allocs('after', 'running', 1), 40, 'and runs jobs', region().peers)


def test_expelled_peer():
    """An expelled peer is cut off by the others, is told so, and cannot come back with a restart."""
    cluster = region()
    third = newcomer()
    cluster.join(third, cluster.invite())
    wait_until(lambda: cluster[0].member(third.name)['Status'] == 'alive', 30, 'it is a member', cluster.peers)
    cluster[0].gctl('cluster', 'expel', third.name, '--data-dir', cluster[0].data_dir)

    def gone():
        seen = {m['Name'].split('.')[0]: m['Status'] for m in cluster[0].members()}
        return seen.get(third.name, 'left') != 'alive'
    wait_until(gone, 60, 'the others do not count it any more', cluster.peers)

    def knows():
        return 'this peer was expelled from its region' in third.try_gctl('job', 'status').stderr
    wait_until(knows, 20, 'its own agent says that it was expelled', [*cluster.peers, third])
    with open(third.log_path) as file:
        check_says(file.read(), 'this peer was expelled from its region')
    third.kill()
    third.start(ready=False)
    end = time.monotonic() + 5
    wait_until(lambda: time.monotonic() > end, 10, 'five seconds for it to try')
    check(gone(), 'it did not come back')
    wait_until(knows, 20, 'and it still says why', [third])
