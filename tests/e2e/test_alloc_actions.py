"""What people do to one allocation, from any peer; and what becomes of one that fails."""
import os
import re

from harness import Cluster, check, check_says, lazily, wait_until
from jobs import DISK, job
from peer import ROOT

region = lazily(lambda: Cluster(3).form())

QUICK = 'reschedule {{\n delay = "5s"\n delay_function = "constant"\n {limit}\n }}\n'
NO_RESTART = 'restart {\n attempts = 0\n mode = "fail"\n }\n'

TRAP = '''
trap 'echo heard it' USR1
echo ready
while :; do sleep 0.1; done
'''


def close():
    region.close()


def started(cluster, text, name):
    """The job's one running allocation, the peer that runs it, and another one."""
    cluster.peers[0].run_job(text)
    alloc = wait_until(lambda: cluster.peers[0].all_allocs(name, 'running', 1), 40, 'it runs', cluster.peers)[0]
    runner = cluster.peer_of(alloc)
    return alloc, runner, next(p for p in cluster if p is not runner)


def events_of(peer, alloc):
    """Types of its task's events, oldest first."""
    return [e['Type'] for e in peer.alloc(alloc['ID'])['TaskStates']['t']['Events']]


def test_restart_from_another_peer():
    """`alloc restart` from a peer that does not run it: the same allocation, another process, told as Nomad tells it."""
    cluster = region()
    alloc, runner, other = started(cluster, job('again', 'sleep 1000'), 'again')
    before = wait_until(lambda: runner.pids_of_allocs([alloc]), 10, 'its process is there', cluster.peers)
    check(other.gctl('alloc', 'restart', alloc['ID'][:8]) == '', 'it was obeyed without a word')
    wait_until(lambda: [p for p in runner.pids_of_allocs([alloc]) if p not in before], 30, 'a new process',
               cluster.peers)
    check([a['ID'] for a in other.allocs('again')] == [alloc['ID']], 'it is the same allocation')
    events = wait_until(lambda: events_of(other, alloc).count('Started') == 2 and events_of(other, alloc), 20,
                        'the ledger knows', cluster.peers)
    at = events.index('Restart Signaled')
    check('Restarting' in events[at:] and events[-1] == 'Started', f'the events tell it in order: {events}')
    wrong = other.try_gctl('alloc', 'restart', alloc['ID'], 'nobody')
    check(wrong.returncode == 1, 'a task that is not there cannot be restarted')
    check_says(wrong.stderr, 'unknown task name "nobody"')


def test_signal_from_another_peer():
    """`alloc signal` reaches the process, whichever peer is asked."""
    cluster = region()
    alloc, runner, other = started(cluster, job('heard', TRAP), 'heard')
    wait_until(lambda: 'ready' in other.gctl('alloc', 'logs', alloc['ID']), 20, 'it listens', cluster.peers)
    before = runner.pids_of_allocs([alloc])
    other.gctl('alloc', 'signal', '-s', 'SIGUSR1', alloc['ID'][:8], 't')
    wait_until(lambda: 'heard it' in other.gctl('alloc', 'logs', alloc['ID']), 20, 'it heard', cluster.peers)
    check(runner.pids_of_allocs([alloc]) == before, 'and runs on')
    wait_until(lambda: 'Signaling' in events_of(other, alloc), 20, 'the event is there', cluster.peers)
    wrong = other.try_gctl('alloc', 'signal', '-s', 'SIGHPU', alloc['ID'])
    check(wrong.returncode == 1, 'an unknown signal is refused')
    check_says(wrong.stderr, 'unknown signal "SIGHPU"')


def test_stop_gives_a_replacement():
    """`alloc stop` from another peer: the slot goes to a new allocation, the old one ends, nothing was rescheduled."""
    cluster = region()
    old, _, other = started(cluster, job('stopped', 'sleep 1000'), 'stopped')
    check_says(other.gctl('alloc', 'stop', old['ID'][:8]), 'created: node "', 'finished with status "complete"')
    new = wait_until(lambda: other.all_allocs('stopped', 'running', 1), 40, 'its replacement runs', cluster.peers)[0]
    check(new['ID'] != old['ID'] and new['Name'] == old['Name'], f'{new["Name"]} goes on as another allocation')
    gone = wait_until(lambda: next((a for a in other.allocs('stopped') if a['ID'] == old['ID']
                                    and a['ClientStatus'] == 'complete'), None), 40, 'the old one ends', cluster.peers)
    check(gone['DesiredStatus'] == 'stop', 'it is not wanted any more')
    shown = other.alloc(old['ID'])
    check(shown['NextAllocation'] == new['ID'], 'the old one names the new one')
    check(shown['DesiredTransition']['Migrate'] is True, 'and says that somebody wanted it to move')
    shown = other.alloc(new['ID'])
    check(shown['PreviousAllocation'] == old['ID'], 'the new one names the old one')
    check(shown['RescheduleTracker'] is None, 'nothing had failed')
    stops = [e for e in other.evaluations('stopped') if e['TriggeredBy'] == 'alloc-stop']
    check(len(stops) == 1 and stops[0]['Status'] == 'complete', f'one evaluation says why: {stops}')


def test_stop_without_shutdown_delay():
    """`-no-shutdown-delay` ends a running task at once, where its job would have it go on for an hour."""
    cluster = region()
    old, _, other = started(cluster, job('patient', 'sleep 1000', group_extra=DISK + '\nshutdown_delay = "1h"\n',
                                         task_extra='shutdown_delay = "1h"'), 'patient')
    other.gctl('alloc', 'stop', '-no-shutdown-delay', old['ID'])
    wait_until(lambda: other.alloc(old['ID'])['ClientStatus'] == 'complete', 60, 'it has ended', cluster.peers)
    events = events_of(other, old)
    check('Killed' in events and 'Waiting for shutdown delay' not in events, f'it was asked at once: {events}')
    new = wait_until(lambda: other.all_allocs('patient', 'running', 1), 40, 'its replacement runs', cluster.peers)[0]
    other.gctl('job', 'stop', '-yes', '-detach', 'patient')
    waits = wait_until(lambda: 'Waiting for shutdown delay' in events_of(other, new), 40, 'this one waits', cluster.peers)
    check(waits and other.alloc(new['ID'])['ClientStatus'] == 'running', 'as its job says')
    other.gctl('job', 'stop', '-yes', '-detach', '-no-shutdown-delay', 'patient')
    wait_until(lambda: other.alloc(new['ID'])['ClientStatus'] == 'complete', 60, 'until somebody will not wait',
               cluster.peers)


def test_failed_goes_elsewhere_by_policy():
    """A failed allocation waits for its policy's delay, then another peer has it, with the tracker of the attempt."""
    cluster = region()
    mark = os.path.join(cluster.directory, 'failed-once')
    text = job('weak', f'if mkdir {mark} 2>/dev/null; then exit 7; fi\nsleep 1000',
               group_extra=DISK + '\n' + NO_RESTART + QUICK.format(limit='attempts = 2\n interval = "1h"\n'
                                                                   'unlimited = false'))
    peer = cluster.peers[0]
    peer.run_job(text, '--detach')
    failed = wait_until(lambda: peer.all_allocs('weak', 'failed', 1), 40, 'it fails', cluster.peers)[0]
    waits = wait_until(lambda: peer.alloc(failed['ID'])['FollowupEvalID'], 10, 'it waits for its turn', cluster.peers)
    follow_up = peer.ask('eval', 'status', waits)
    check(follow_up['TriggeredBy'] == 'alloc-failure', 'what it waits for was caused by the failure')
    new = wait_until(lambda: peer.replacement('weak', failed), 40, 'another peer runs it', cluster.peers)
    shown = peer.alloc(new['ID'])
    events = shown['RescheduleTracker']['Events']
    check([e['PrevAllocID'] for e in events] == [failed['ID']], f'one attempt, of that allocation: {events}')
    check(events[0]['PrevNodeID'] == failed['NodeID'] and events[0]['Delay'] == 5_000_000_000,
          f'from that node, after five seconds: {events}')
    check_says(peer.gctl('alloc', 'status', new['ID']), r'Reschedule Attempts += 1/2\n',
               r'Previous Alloc ID += ' + failed['ID'][:8])
    check_says(peer.gctl('alloc', 'status', failed['ID']), r'Replacement Alloc ID += ' + new['ID'][:8])
    scores = {s['NodeID']: s['Scores'] for s in shown['Metrics']['ScoreMetaData']}
    check(scores[failed['NodeID']]['node-reschedule-penalty'] == -1, f'the peer where it failed was put back: {scores}')


def test_attempts_end():
    """A batch job whose one attempt is used up stays failed, and nothing waits for it."""
    cluster = region()
    text = job('hopeless', 'exit 3', type='batch',
               group_extra=DISK + '\n' + NO_RESTART + QUICK.format(limit='attempts = 1\n interval = "1h"'))
    peer = cluster.peers[0]
    ran = peer.run_job(text, expect=(1,))
    check_says(ran.stdout, r'-> "failed".*\n.*task "t": Terminated: Exit Code: 3',
               r'See `gctl alloc status [0-9a-f]{8}` and `gctl alloc logs -stderr [0-9a-f]{8} t`\n$')
    last = wait_until(lambda: len(peer.allocs('hopeless')) == 2 and peer.allocs('hopeless')[-1]['ClientStatus']
                      == 'failed' and peer.allocs('hopeless')[-1], 60, 'the second attempt failed too', cluster.peers)
    wait_until(lambda: peer.job('hopeless')['Status'] == 'dead', 20, 'the job is over', cluster.peers)
    check(peer.alloc(last['ID'])['FollowupEvalID'] == '', 'nothing will look at it again')
    check(not [e for e in peer.evaluations('hopeless') if e['Status'] in ('pending', 'blocked')], 'nothing waits')


def test_dispatch():
    """A parameterized job runs nothing until it is dispatched: the child has the payload as a file, and the meta."""
    cluster = region()
    peer, other = cluster.peers[0], cluster.peers[1]
    with open(os.path.join(ROOT, 'examples', 'dispatch.nomad')) as file:
        registered = peer.run_job(file.read())
    check_says(registered.stdout, 'Job registration successful')
    check(peer.job('dispatch')['Status'] == 'running' and not peer.allocs('dispatch'), 'it waits, and nothing runs')
    run = other.try_gctl('job', 'dispatch', '-meta', 'who=you', 'dispatch', '-', stdin='hello')
    check(run.returncode == 0, f'it is dispatched: {run.stdout}{run.stderr}')
    child = re.search(r'Dispatched Job ID += (dispatch/dispatch-\d+-[0-9a-f]{8})\n', run.stdout).group(1)
    done = wait_until(lambda: peer.all_allocs(child, 'complete', 1), 40, 'the child is done', cluster.peers)[0]
    check_says(peer.gctl('alloc', 'logs', done['ID']), '^you: hello\n$')
    check(peer.job(child)['ParentID'] == 'dispatch', 'it names its parent')

    def children():
        return other.ask('job', 'status', 'dispatch')['Summary']['Children']
    wait_until(lambda: children() == {'Pending': 0, 'Running': 0, 'Dead': 1}, 20, 'the child is counted as dead',
               cluster.peers)
    check_says(other.gctl('job', 'status', 'dispatch'), r'Pending +Running +Dead\n0 +0 +1\n',
               f'Dispatched Jobs\n.*\n{child} +dead ')
    check_says(other.gctl('job', 'status', child), r'Parameterized += false\n', 'Allocations')
    logs = other.try_gctl('job', 'logs', 'dispatch')
    check(logs.returncode == 1, 'it has no logs of its own')
    check_says(logs.stderr, f'gctl job logs {child}  \\(dead\\)')
    check_says(other.gctl('job', 'logs', child), 'you: hello')
    wrong = other.try_gctl('job', 'dispatch', 'dispatch', '-', stdin='hello')
    check(wrong.returncode == 1, 'meta is missing')
    check_says(wrong.stderr, r'did not provide required meta keys: \[who\]')
