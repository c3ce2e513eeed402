"""The examples that need nothing but a peer, each run as it is."""
import os

from harness import ROOT, DevPeer, check, lazily, wait_until

dev = lazily(DevPeer)


def completed(name, count):
    """The allocations of the example's job, once they have all run to completion."""
    peer = dev()
    peer.gctl('job', 'run', os.path.join(ROOT, 'examples', f'{name}.nomad'))
    return wait_until(lambda: peer.all_allocs(name, 'complete', count), 60, f'{name} is complete', [peer])


def test_batch():
    """examples/batch.nomad: three allocations count to ten and are complete."""
    for alloc in completed('batch', 3):
        lines = dev().gctl('alloc', 'logs', alloc['ID']).splitlines()
        check(len(lines) == 10 and lines[9].endswith('10 of 10'), f'it counted to ten: {lines}')


def test_sidecar_with_leader():
    """examples/sidecar.nomad: one task prepares, a sidecar follows the leader's log, another reports after the end."""
    peer = dev()
    alloc = completed('sidecar', 1)[0]
    shipped = peer.gctl('alloc', 'logs', alloc['ID'], 'ship').splitlines()
    check(shipped == [f'page {page} of 5' for page in range(1, 6)], f'the sidecar saw all of it: {shipped}')
    check(peer.gctl('alloc', 'logs', alloc['ID'], 'report') == '5 pages were shipped\n', 'reported at the end')
    tasks = peer.alloc(alloc['ID'])['TaskStates']
    check(all(task['State'] == 'dead' and not task['Failed'] for task in tasks.values()), f'none failed: {tasks}')
    said = [event['Type'] for event in tasks['ship']['Events']]
    check('Leader Task Dead' in said, f'the sidecar was ended for the leader: {said}')
    check(tasks['prepare']['FinishedAt'] <= tasks['print']['StartedAt'], 'prepared before the main task')
    check(tasks['report']['StartedAt'] >= tasks['ship']['FinishedAt'], 'reported after all others')


def close():
    dev.close()
