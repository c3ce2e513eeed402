#!/usr/bin/env python3
"""kill -9 of the agent at random moments over a mixed load; then everything is counted.

    tests/e2e/kill_agent.py [seconds]      ten minutes unless told otherwise

Writers number their lines, on the host, in a container (driver exec) and in a bridge network: after any number of
kills each must be the same process, and its log must have every number once. Tasks that keep ending must have one
process at most; hooks and sidecars must be as the job says; a script check runs all the time. In the end all jobs are
stopped, and no process, zombie, mount, cgroup, network namespace, address, rule or descriptor may be left. Where this
machine lacks what exec or bridges need, those who need it are left out, and that is said.
"""
import glob
import os
import random
import sys
import time

import processes
from harness import Cluster, Failed, Skip, check, wait_until
from jobs import DISK, job
from own_network import OneMachine

WRITERS = 4
WRITE = 'n=0; while :; do n=$((n+1)); echo $n; sleep 0.02; done'
CRASH = 'echo run; sleep 1; exit 1'
POLICY = 'restart {\n attempts = 100000\n interval = "24h"\n delay = "200ms"\n }\n'
BRIDGE = 'network {\n mode = "bridge"\n port "http" {\n to = 8080\n }\n }\n' + DISK
CHECKED = '''
service {
  name     = "checked"
  provider = "nomad"
  check {
    type     = "script"
    command  = "/bin/true"
    interval = "1s"
    timeout  = "5s"
  }
}
'''
SIDECAR = '''
    task "side" {
      driver = "raw_exec"
      lifecycle {
        hook    = "prestart"
        sidecar = true
      }
      config {
        command = "/bin/sleep"
        args    = ["100000"]
      }
      resources {
        cpu    = 10
        memory = 10
      }
    }
    task "after" {
      driver = "raw_exec"
      lifecycle {
        hook = "poststop"
      }
      config {
        command = "/bin/touch"
        args    = ["${NOMAD_ALLOC_DIR}/data/after"]
      }
      resources {
        cpu    = 10
        memory = 10
      }
    }
'''


def numbers(peer, alloc):
    """All that a writer has written, from its files, oldest first."""
    files = glob.glob(os.path.join(peer.seen(peer.data_dir), 'alloc', alloc['ID'], 'alloc', 'logs', 't.stdout.*'))
    text = ''
    for path in sorted(files, key=lambda path: int(path.rpartition('.')[2])):
        with open(path) as file:
            text += file.read()
    return [int(line) for line in text.split('\n')[:-1]]


def zombies():
    """Those whose parent is a process of this run, but for our own children: other tests run on this machine too."""
    ours = set(processes.descendants())
    return [pid for pid in map(int, filter(str.isdigit, os.listdir('/proc')))
            if processes.state_and_parent(pid)[0] == 'Z' and processes.state_and_parent(pid)[1] in ours]


def leaks(peer, alloc_ids):
    """What is left of allocations: mounts, cgroups, and what their networks made."""
    with open('/proc/self/mountinfo') as file:
        found = [place for line in file if (place := line.split()[4]).startswith(peer.directory + '/')]
    for folder, groups, _ in os.walk('/sys/fs/cgroup'):
        found += [os.path.join(folder, group) for group in groups if any(i in group for i in alloc_ids)]
    if hasattr(peer, 'traces'):
        found += [trace for traces in peer.traces().values() for trace in traces]
    return found


def descriptors(peer):
    return len(os.listdir(f'/proc/{peer.process.pid}/fd'))


def in_container(text):
    return text.replace('driver = "raw_exec"', 'driver = "exec"')


def load_for(peer):
    """The jobs by name; writers' names begin with `writer`, and those whose tasks keep ending with `crasher`."""
    jobs = {f'writer{n}': job(f'writer{n}', WRITE) for n in range(WRITERS)}
    jobs['crasher'] = job('crasher', CRASH, task_extra=POLICY)
    jobs['gang'] = job('gang', 'exec sleep 100000', group_extra=SIDECAR)
    node = peer.node()
    if node['Drivers']['exec']['Healthy']:
        jobs['writer-exec'] = in_container(job('writer-exec', WRITE, task_extra=CHECKED))
        jobs['crasher-exec'] = in_container(job('crasher-exec', CRASH, task_extra=POLICY))
    if node['Attributes'].get('gaggle.network.bridge') == '1':
        jobs['writer-bridge'] = job('writer-bridge', WRITE, group_extra=BRIDGE)
        if 'writer-exec' in jobs:
            jobs['writer-both'] = in_container(job('writer-both', WRITE, group_extra=BRIDGE))
    missing = {'writer-exec', 'writer-bridge', 'writer-both'} - set(jobs)
    print(f'the load: {", ".join(jobs)}' + (f'; not here: {", ".join(missing)}' if missing else ''), flush=True)
    return jobs


def start_load(peer, jobs):
    """The allocation of each job whose tasks stay."""
    for text in jobs.values():
        peer.run_job(text)
    return {name: wait_until(lambda: peer.all_allocs(name, 'running', 1), 60, f'{name} runs', [peer])[0]
            for name in jobs if not name.startswith('crasher')}


def machine():
    """A peer with networks of its own where this machine can have them."""
    try:
        return OneMachine()
    except Skip:
        return Cluster(1).form()


def kill_for(peer, seconds, chance, crashers):
    """How many kills there were."""
    kills, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(chance.choice([0, 0.05, 0.3, 1, 3]) * chance.random())
        peer.kill()
        kills += 1
        for name in crashers:
            count = len(peer.pids_of_job(name))
            check(count <= 1, f'after kill {kills} {name} has {count} processes')
        peer.start(ready=chance.random() < 0.7)
    wait_until(lambda: peer.wait_ready() or True, 60, 'the agent is back', [peer])
    return kills


def all_ended(peer):
    processes.reap()  # as init would: a container ends with the last zombie that somebody put into it
    if left := peer.task_pids():
        raise Failed('left: ' + '; '.join(f'{pid} {processes.command_of(pid)}' for pid in left))
    return True


def check_written(peer, name, alloc):
    wait_until(lambda: numbers(peer, alloc), 20, f'{name} writes', [peer])
    got = numbers(peer, alloc)
    check(got == list(range(1, len(got) + 1)), f'{name} has every line once: {len(got)} lines')
    check(len(peer.allocs(name)) == 1, f'{name} was not replaced')


def run(seconds, seed=None):
    """How many kills there were; a Failed for whatever is not as it should be."""
    known_zombies = zombies()
    with machine() as cluster:
        peer = cluster[0]
        jobs = load_for(peer)
        allocs = start_load(peer, jobs)
        pids = {name: peer.pids_of_allocs([alloc]) for name, alloc in allocs.items()}
        check(all(len(found) >= 1 for found in pids.values()), f'each has its process: {pids}')
        ids = [alloc['ID'] for name in jobs for alloc in peer.allocs(name)]
        before = descriptors(peer)
        kills = kill_for(peer, seconds, random.Random(seed), [name for name in jobs if name.startswith('crasher')])
        for name, alloc in allocs.items():
            check(peer.pids_of_allocs([alloc]) == pids[name], f'{name} is the same process after {kills} kills')
            if name.startswith('writer'):
                check_written(peer, name, alloc)
        wait_until(lambda: descriptors(peer) <= before + 8, 30,
                   lambda: f'{descriptors(peer)} descriptors, {before} before', [peer])
        for name in jobs:
            peer.gctl('job', 'stop', name)
        wait_until(lambda: all_ended(peer), 60, 'no process of a task is left', [peer])
        after = os.path.join(peer.seen(peer.data_dir), 'alloc', allocs['gang']['ID'], 'alloc', 'data', 'after')
        wait_until(lambda: os.path.exists(after), 20, 'the poststop task ran', [peer])
        wait_until(lambda: not leaks(peer, ids), 30, lambda: f'nothing is left: {leaks(peer, ids)}', [peer])
        wait_until(lambda: not set(zombies()) - set(known_zombies), 20, 'no zombie is left', [peer])
    return kills


if __name__ == '__main__':
    processes.adopt_orphans()
    span = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    chosen = random.randrange(1 << 30)
    print(f'seed {chosen}, {span:.0f} s', flush=True)
    print(f'{run(span, chosen)} kills; nothing lost, doubled or left behind')
