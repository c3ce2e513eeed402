#!/usr/bin/env python3
"""kill -9 of the agent at random moments over a mixed load; then everything is counted.

    tests/e2e/kill_agent.py [seconds]      ten minutes unless told otherwise

Writers number their lines: after any number of kills each must be the same process, and its log must have every
number once. A task that keeps ending must have one process at most; hooks and sidecars must be as the job says. In
the end all jobs are stopped, and no process, zombie, mount, cgroup, network namespace or descriptor may be left.
"""
import glob
import os
import random
import sys
import time

import processes
from harness import Cluster, check, wait_until
from jobs import job

WRITERS = 6
WRITE = 'n=0; while :; do n=$((n+1)); echo $n; sleep 0.02; done'
CRASH = 'echo run; sleep 1; exit 1'
POLICY = 'restart {\n attempts = 100000\n interval = "24h"\n delay = "200ms"\n }\n'
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
    files = glob.glob(os.path.join(peer.data_dir, 'alloc', alloc['ID'], 'alloc', 'logs', 't.stdout.*'))
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


def leaks(directory):
    """Mounts and cgroups that name the directory's allocations."""
    with open('/proc/self/mountinfo') as file:
        mounts = [line.split()[4] for line in file if directory in line.split()[4]]
    return mounts


def descriptors(peer):
    return len(os.listdir(f'/proc/{peer.process.pid}/fd'))


def start_load(peer):
    for number in range(WRITERS):
        peer.run_job(job(f'writer{number}', WRITE))
    peer.run_job(job('crasher', CRASH, task_extra=POLICY))
    peer.run_job(job('gang', 'exec sleep 100000', group_extra=SIDECAR))
    names = [f'writer{n}' for n in range(WRITERS)] + ['gang']
    return {name: wait_until(lambda: peer.all_allocs(name, 'running', 1), 60, f'{name} runs', [peer])[0]
            for name in names}


def run(seconds, seed=None):
    """How many kills there were; a Failed for whatever is not as it should be."""
    chance = random.Random(seed)
    known_zombies = zombies()
    with Cluster(1).form() as cluster:
        peer = cluster[0]
        allocs = start_load(peer)
        pids = {name: peer.pids_of_allocs([alloc]) for name, alloc in allocs.items()}
        peer.gctl('members')
        before = descriptors(peer)
        kills, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(chance.choice([0, 0.05, 0.3, 1, 3]) * chance.random())
            peer.kill()
            kills += 1
            crashers = len(peer.pids_of_job('crasher'))
            check(crashers <= 1, f'after kill {kills} the crasher has {crashers} processes')
            peer.start(ready=chance.random() < 0.7)
        wait_until(lambda: peer.wait_ready() or True, 60, 'the agent is back', [peer])
        for name, alloc in allocs.items():
            check(peer.pids_of_allocs([alloc]) == pids[name], f'{name} is the same process after {kills} kills')
        for name in (f'writer{n}' for n in range(WRITERS)):
            wait_until(lambda: numbers(peer, allocs[name]), 20, f'{name} writes', [peer])
            got = numbers(peer, allocs[name])
            check(got == list(range(1, len(got) + 1)), f'{name} has every line once: {len(got)} lines')
            check(len(peer.allocs(name)) == 1, f'{name} was not replaced')
        check(descriptors(peer) <= before + 8, f'{descriptors(peer)} descriptors, {before} in the beginning')
        for name in [*allocs, 'crasher']:
            peer.gctl('job', 'stop', name)
        wait_until(lambda: not peer.task_pids(), 60, 'no process of a task is left', [peer])
        after = os.path.join(peer.data_dir, 'alloc', allocs['gang']['ID'], 'alloc', 'data', 'after')
        wait_until(lambda: os.path.exists(after), 20, 'the poststop task ran', [peer])
        wait_until(lambda: not leaks(cluster.directory), 20, f'no mount is left: {leaks(cluster.directory)}', [peer])
        wait_until(lambda: not set(zombies()) - set(known_zombies), 20, 'no zombie is left', [peer])
    return kills


if __name__ == '__main__':
    processes.adopt_orphans()
    span = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    chosen = random.randrange(1 << 30)
    print(f'seed {chosen}, {span:.0f} s', flush=True)
    print(f'{run(span, chosen)} kills; nothing lost, doubled or left behind')
