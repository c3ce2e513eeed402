"""Five peers: three vote, two do not, and every one takes every command."""
from harness import Cluster, check, wait_until
from jobs import SLEEP, job


def test_five_peers_submitted_at_one_without_a_vote():
    """Five peers, the job submitted at one without a vote: it is spread, and each peer tells the same."""
    with Cluster(5) as cluster:
        cluster.form(voters=3)
        roles = {m['Name']: m['Role'] for m in cluster[0].ask('region', 'status')['Members']}
        quiet = next(p for p in cluster if roles.get(p.name, 'spare') != 'voter')
        quiet.run_job(job('five', SLEEP, count=5))
        allocs = wait_until(lambda: quiet.all_allocs('five', 'running', 5), 60, 'five run', cluster.peers)
        check(len({a['NodeName'] for a in allocs}) > 1, f'they are spread: {[a["NodeName"] for a in allocs]}')
        for peer in cluster:
            there = wait_until(lambda: peer.all_allocs('five', 'running', 5), 20, 'the same at each', cluster.peers)
            check({a['ID'] for a in there} == {a['ID'] for a in allocs}, f'{peer.name} tells the same')
            check(len(peer.members()) == 5, f'{peer.name} knows five members')
        elsewhere = next(a for a in allocs if a['NodeName'] != quiet.name)
        check(quiet.alloc(elsewhere['ID'])['NodeName'] == elsewhere['NodeName'], 'allocations of others are shown')
        quiet.gctl('job', 'stop', 'five')
        wait_until(lambda: not any(p.pids_of_job('five') for p in cluster), 60, 'stopped everywhere', cluster.peers)
