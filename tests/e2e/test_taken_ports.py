"""A port that a stranger's process holds is noticed before the start, and another one, or another peer, is taken."""
import resource
import socket

from harness import HTTP_PORT, Cluster, check, check_says, lazily, wait_until
from jobs import DISK, SLEEP, job

STATIC = 24680
DYNAMIC = range(20000, 32001)

region = lazily(lambda: Cluster(3).form())


def close():
    region.close()


def listener(address, port):
    held = socket.socket()
    try:
        held.bind((address, port))
        held.listen(1)
    except OSError:
        held.close()
        return None
    return held


def network(port):
    return DISK + '\nnetwork {\n port "web" {' + port + '}\n }'


def test_static_port_is_found_elsewhere():
    """With a static port that strangers hold on two of three peers, the allocation runs on the third; why it is not
    on the others is told with the port and the process."""
    cluster = region()
    strangers = [listener(peer.address, STATIC) for peer in cluster.peers[:2]]
    check(all(strangers), 'the ports are ours to begin with')
    peer = cluster[2]
    try:
        peer.run_job(job('static', SLEEP, group_extra=network(f'static = {STATIC}')), '--detach')
        alloc = wait_until(lambda: peer.all_allocs('static', 'running', 1), 60, 'it runs', cluster.peers)[0]
        check(alloc['NodeName'] == peer.name, f'on the peer where the port is free, not on {alloc["NodeName"]}')
        for lost in [a for a in peer.allocs('static') if a['ClientStatus'] == 'lost']:
            check_says(lost['DesiredDescription'], rf'port {STATIC} .*python3.*pid \d+.*which is not Gaggle')
            held = wait_until(lambda: (found := peer.alloc(lost['ID']))['TaskStates'] and found, 20, 'its peer says why', [peer])
            check_says(held['ClientDescription'], rf'Port {STATIC} of this peer is held by python3.*no task was started')
            told = [event['Type'] for event in held['TaskStates']['t']['Events']]
            check(told == ['Received', 'Setup Failure'], f'nobody was killed: {told}')
    finally:
        for held in strangers:
            held.close()
        peer.gctl('job', 'stop', 'static')


def test_dynamic_port_is_replaced():
    """Of dynamic ports those that a stranger holds are replaced by others, and the task's events say so."""
    cluster = region()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ports = DYNAMIC[:(most - 100) // 3 * 2:2]  # all even ones, where so many sockets are allowed
    even = [held for peer in cluster for port in ports if (held := listener(peer.address, port))]
    peer = cluster[0]
    try:
        peer.run_job(job('dynamic', SLEEP, count=12, group_extra=network('')), '--detach')
        allocs = wait_until(lambda: peer.all_allocs('dynamic', 'running', 12), 90, 'all run', cluster.peers)
        details = [peer.alloc(alloc['ID']) for alloc in allocs]
        got = [detail['AllocatedResources']['Shared']['Ports'][0]['Value'] for detail in details]
        mine = {(held.getsockname()) for held in even}
        given = {(cluster.peer_of(alloc).address, port) for alloc, port in zip(allocs, got)}
        check(not given & mine, f'nobody has a port of the stranger\'s: {sorted(given & mine)}')
        told = [e['DisplayMessage'] for d in details for e in d['TaskStates']['t']['Events']]
        check(any('was held by python3 (pid' in text for text in told), f'somebody was told: {sorted(set(told))}')
    finally:
        for held in even:
            held.close()
        peer.gctl('job', 'stop', 'dynamic')


def test_static_port_of_the_agents_is_told():
    """A static port that the agents themselves have is nobody's: `gctl job run` says whose it is, and ends with 2."""
    cluster = region()
    run = cluster[1].run_job(job('mine', SLEEP, group_extra=network(f'static = {HTTP_PORT}')), expect=(2,))
    check_says(run.stdout, r'is lost, and nothing has taken its place: static port '
               rf'{HTTP_PORT} is held there by gctl \(pid \d+\), this peer.s own agent',
               rf'reserved port collision web={HTTP_PORT} \(held by gctl\)')
    cluster[1].gctl('job', 'stop', 'mine')
