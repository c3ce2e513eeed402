"""A peer is gone for good: its state goes on elsewhere, and without a majority nobody pretends."""
import re
import time

from harness import Cluster, check, check_says, lazily, wait_until
from jobs import REPLICATED, STATE, job, lost_after

region = lazily(lambda: Cluster(3).form())


def close():
    region.close()


def start_state(cluster):
    """A replicated job that changes its state all the time: its allocation and who runs it."""
    submitted = next(p for p in cluster if p.running())
    submitted.run_job(job('state', STATE, group_extra=REPLICATED + '\n' + lost_after('2s')))
    alloc = wait_until(lambda: submitted.all_allocs('state', 'running', 1), 40, 'it runs', cluster.peers)[0]
    return alloc, cluster.peer_of(alloc)


def complete_copies(peer, alloc, since=0.0):
    """Those that were taken later than `since`, in seconds of the wall clock."""
    return [c for c in peer.alloc(alloc['ID']).get('Copies') or [] if c['Complete'] and c['TakenAt'] / 1e9 > since]


def test_killed_without_waiting_for_the_copy():
    """Kill without waiting for the copy: a complete older state comes back, and its age was shown."""
    cluster = region()
    alloc, holder = start_state(cluster)
    others = [p for p in cluster if p is not holder]
    wait_until(lambda: holder.state_of(alloc) > 0, 20, 'there is a state', cluster.peers)
    began = time.time()
    wait_until(lambda: len(complete_copies(others[0], alloc, began)) == 2, 60, 'two complete copies of it',
               cluster.peers)
    seen = holder.state_of(alloc)
    wait_until(lambda: holder.state_of(alloc) > seen + 2, 20, 'the state is newer than those copies', cluster.peers)
    check(all(c['AgeMs'] >= 0 for c in complete_copies(others[0], alloc)), 'every copy has an age')
    check_says(others[0].gctl('alloc', 'status', alloc['ID'][:8]), r'Held By +Peer ID +Version +Age +State\n',
               r'\n\w+ +[0-9a-f]{8} +\d+\.\d+ +\d[\d.]*(us|ms|s|m\d+s) +complete')
    with others[1].background('job', 'logs', '-f', 'state') as followed:
        wait_until(lambda: f'{alloc["ID"][:8]}/t | ' in '\n'.join(followed.read()), 20, 'its log is followed', others)
        holder.crash()
        last = holder.state_of(alloc)
        new = wait_until(lambda: others[0].replacement('state', alloc), 120, 'it runs on another peer', others)
        wait_until(lambda: f'{new["ID"][:8]}/t | began with' in '\n'.join(followed.read()), 30,
                   'who follows the job hears its successor, whatever became of the first', others)
    runner = cluster.peer_of(new)
    began = wait_until(lambda: re.findall(r'began with (\d+), of (\d+) kind', runner.gctl('alloc', 'logs', new['ID'])),
                       30, 'it says what it began with', others)
    number, kinds = map(int, began[0])
    check(kinds == 1, f'the state was not complete: {kinds} different numbers in one file')
    check(0 < number <= last, f'it began with {number}, an older state than {last} and not an empty one')
    events = [e['DisplayMessage'] for e in others[0].alloc(new['ID'])['TaskStates']['t']['Events']]
    check(any(re.search(r'restored copy of generation \d+, version \d+, taken \S+ ago', e) for e in events),
          f'the restore and the age of the copy are told: {events}')


def test_second_kill_is_an_honest_majority_lost():
    """A second kill: everybody can see that the majority is lost, running tasks go on, and it heals by itself."""
    cluster = region()
    alloc, runner = start_state(cluster)
    gone = next((p for p in cluster if not p.running()), None)
    if gone is None:  # the test above did not run
        gone = next(p for p in cluster if p is not runner)
        gone.kill()
        wait_until(lambda: runner.member(gone.name)['Status'] != 'alive', 60, 'the first loss is seen', [runner])
    victim = next(p for p in cluster if p.running() and p is not runner)
    pids = runner.steady_pids()
    victim.kill()

    def honest():
        run = runner.try_gctl('region', 'status')
        return run.stdout if re.search('majority|quorum', run.stdout + run.stderr, re.I) \
            and re.search('lost|no ', run.stdout + run.stderr, re.I) else None
    told = wait_until(honest, 60, 'region status says that the majority is lost', [runner])
    check_says(told, victim.name)
    refused = runner.run_job(job('late', 'sleep 1000'), '--detach', expect=None)
    check(refused.returncode != 0, 'no claim can be accepted without a majority')
    check_says(refused.stdout + refused.stderr, 'leader|majority|quorum')
    check(runner.steady_pids() == pids, 'the running tasks go on')
    victim.start()
    wait_until(lambda: runner.ask('region', 'status')['HasQuorum'], 60, 'it heals by itself', cluster.peers)
    gone.start()
    wait_until(lambda: all(m['Status'] == 'alive' for m in runner.members()), 60, 'all are back', cluster.peers)
    live = [p.name for p in cluster if p.pids_of_job('state')]
    check(live == [runner.name], f'nothing runs twice: {live}')
