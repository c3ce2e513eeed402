"""What is finished goes: one allocation's directory, a peer's, or with `gctl system gc` everybody's."""
import os
import urllib.error
import urllib.request

from harness import HTTP_PORT, Cluster, DevPeer, check, check_says, lazily, published_token, wait_until
from jobs import SLEEP, job
from waiting import PATIENCE

region = lazily(lambda: Cluster(2).form())


def close():
    region.close()


def directory_of(cluster, alloc):
    return os.path.join(cluster.peer_of(alloc).data_dir, 'alloc', alloc['ID'])


def http(peer, method, path):
    request = urllib.request.Request(f'http://{peer.http_address}:{HTTP_PORT}{path}', method=method,
                                     headers={'X-Nomad-Token': published_token(peer.http_address)})
    try:
        with urllib.request.urlopen(request, timeout=20 * PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_client_gc():
    """One allocation's directory, or all that is finished on one peer, goes when any peer is asked; the ledger still
    knows what ran, and what runs is not touched."""
    cluster = region()
    peer = cluster[0]
    peer.run_job(job('runs', SLEEP))

    def ended_on(home):
        name = f'ended-on-{home.name}'
        where = 'constraint {\n attribute = "${node.unique.name}"\n value = "' + home.name + '"\n }'
        peer.run_job(job(name, 'echo done', type='batch', count=2, job_extra=where))
        return wait_until(lambda: peer.all_allocs(name, 'complete', 2), 60, 'two complete', cluster.peers)
    one, theirs = ended_on(cluster[0])
    elsewhere = ended_on(cluster[1])
    other = cluster[1]
    running = wait_until(lambda: peer.all_allocs('runs', 'running', 1), 60, 'one runs', cluster.peers)[0]

    def collected(path):
        """Until the region has told the peer that it took note of the end."""
        return wait_until(lambda: http(other, 'PUT', path)[0] == 200, 20, f'{path} is obeyed', cluster.peers)
    collected(f'/v1/client/allocation/{one["ID"][:8]}/gc')
    wait_until(lambda: not os.path.exists(directory_of(cluster, one)), 30, 'its directory is gone', cluster.peers)
    check(os.path.isdir(directory_of(cluster, theirs)), 'the one beside it stays')
    check(other.alloc(one['ID'])['ClientStatus'] == 'complete', 'the ledger still knows it')
    read = other.try_gctl('alloc', 'logs', one['ID'])
    check(read.returncode == 1, 'its log cannot be read any more')
    check_says(read.stderr, 'it was collected')
    with open(cluster.peer_of(one).log_path) as file:
        check_says(file.read(), r'collects the directories of 1 finished allocations \(somebody asked for it\): ' + one['ID'])
    status, text = http(other, 'GET', f'/v1/client/allocation/{one["ID"]}/gc')
    check(status == 404 and 'not (or no longer) on this peer' in text, f'a second time: {status} {text}')
    status, text = http(other, 'GET', f'/v1/client/allocation/{running["ID"]}/gc')
    check(status == 404 and 'it has not ended' in text, f'what runs is refused: {status} {text}')

    def emptied():
        return (http(other, 'GET', f'/v1/client/gc?node_id={one["NodeID"][:8]}')[0] == 200
                and not os.path.exists(directory_of(cluster, theirs)))
    wait_until(emptied, 30, 'all of that peer are gone', cluster.peers)
    check(all(os.path.isdir(directory_of(cluster, alloc)) for alloc in elsewhere), 'the other peer keeps its own')
    check(os.path.isdir(directory_of(cluster, running)) and peer.all_allocs('runs', 'running', 1), 'what runs, runs on')


def test_full_disk():
    """On a disk that is fuller than the operator allows, what is finished goes, the oldest first, and the log says why."""
    with DevPeer(options=['--gc-disk-usage-threshold', '0', '--gc-inode-usage-threshold', '100']) as peer:
        peer.run_job(job('runs', SLEEP))
        peer.run_job(job('ended', 'echo done', type='batch', count=2))
        both = wait_until(lambda: peer.all_allocs('ended', 'complete', 2), 60, 'two complete', [peer])
        kept = [os.path.join(peer.data_dir, 'alloc', alloc['ID']) for alloc in both]
        wait_until(lambda: not any(map(os.path.exists, kept)), 60, 'their directories go', [peer])
        check_says(peer.log_text(), r'collects the directories of 1 finished allocations \(the disk is \d+ % full, over 0 %\)')
        check(peer.all_allocs('runs', 'running', 1), 'what runs, runs on')


def test_system_gc():
    """`gctl system gc` forgets finished jobs and removes the directories of finished allocations on every peer;
    what runs is left alone."""
    cluster = region()
    peer = cluster[1]
    peer.run_job(job('stays', SLEEP))
    peer.run_job(job('sums', 'echo done', type='batch', count=4))
    done = wait_until(lambda: peer.all_allocs('sums', 'complete', 4), 60, 'four complete', cluster.peers)
    running = wait_until(lambda: peer.all_allocs('stays', 'running', 1), 60, 'one runs', cluster.peers)[0]
    check(all(os.path.isdir(directory_of(cluster, alloc)) for alloc in done), 'their directories are kept')
    wait_until(lambda: peer.job('sums')['Status'] == 'dead', 30, 'the batch is dead', cluster.peers)
    check(peer.gctl('system', 'gc') == '', 'nothing is printed when all went well')
    wait_until(lambda: not any(os.path.exists(directory_of(cluster, alloc)) for alloc in done), 30,
               'their directories are gone', cluster.peers)
    check(peer.try_gctl('job', 'status', 'sums').returncode != 0, 'the job is forgotten')
    check(peer.all_allocs('stays', 'running', 1)[0]['ID'] == running['ID'], 'what runs, runs on')
    check(os.path.isdir(directory_of(cluster, running)), 'and has its directory')
