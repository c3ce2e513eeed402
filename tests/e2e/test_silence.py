"""The silent death: no port refuses, nobody answers."""
import time

from harness import Cluster, check, wait_until
from jobs import SLEEP, job, lost_after


def test_silent_death():
    """An agent that is stopped with SIGSTOP while its tasks are killed is declared lost and replaced elsewhere; when
    it comes back, nothing runs twice."""
    with Cluster(3) as cluster:
        cluster.form()
        cluster[0].run_job(job('quiet', SLEEP, group_extra=lost_after('2s')))
        alloc = wait_until(lambda: cluster[0].all_allocs('quiet', 'running', 1), 40, 'it runs', cluster.peers)[0]
        silent = cluster.peer_of(alloc)
        others = [p for p in cluster if p is not silent]
        began = time.monotonic()
        silent.pause()
        silent.kill_tasks()
        wait_until(lambda: others[0].member(silent.name)['Status'] != 'alive', 60, 'it is suspect', others)
        suspected = time.monotonic() - began
        new = wait_until(lambda: others[0].replacement('quiet', alloc), 120, 'it runs elsewhere', others)
        print(f'         (suspect after {suspected:.1f} s, running again after {time.monotonic() - began:.1f} s)')
        silent.resume()
        wait_until(lambda: others[0].member(silent.name)['Status'] == 'alive', 60, 'it is back', cluster.peers)
        wait_until(lambda: [p.name for p in cluster if p.pids_of_job('quiet')] == [new['NodeName']], 60,
                   'it runs once', cluster.peers)
        after = [a for a in silent.allocs('quiet') if a['DesiredStatus'] == 'run' and a['ClientStatus'] == 'running']
        check([a['ID'] for a in after] == [new['ID']], 'the replacement stays')
