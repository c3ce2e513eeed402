"""What is finished goes: `gctl system gc`, here and on every peer."""
import os

from harness import Cluster, check, lazily, wait_until
from jobs import SLEEP, job

region = lazily(lambda: Cluster(2).form())


def close():
    region.close()


def directory_of(cluster, alloc):
    return os.path.join(cluster.peer_of(alloc).data_dir, 'alloc', alloc['ID'])


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
