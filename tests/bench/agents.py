#!/usr/bin/env python3
"""Speed and memory of real agents with the shipped defaults: medians, each beside its goal. Needs `scons`.

    tests/bench/agents.py             all: idle memory, request to accepted, submission to running, failover in
                                      silence by phase, 100 idle tasks, 1,000 tasks beside s6; examples/quickstart
                                      tells that of a killed peer
    tests/bench/agents.py accepted    only those whose name contains one of the words
    GCTL=build-release/bin/gctl tests/bench/agents.py       of another build

Agents run on loopback addresses with data under $TMPDIR, so the disk that is measured is that one. The goals are
those of the issues "First flight" and "The allocation runner"; nothing here fails for being slow.
"""
import array
import concurrent.futures
import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import processes  # noqa: E402
from harness import HTTP_PORT, Cluster, DevPeer, check, published_token, wait_until  # noqa: E402
from phases import Watch, phases  # noqa: E402

REQUESTS = 100
SUBMISSIONS = 30
MANY = 1000
MANY_TIMES = 3
IDLE_TASKS = 100
IDLE_SECONDS = 60
REST_SECONDS = 10
WRITERS = 3
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602  # linux/fs.h
FS_TOPDIR_FL = 0x00020000


@contextlib.contextmanager
def spread_directory():
    """Temporary files of the measures go below a directory whose children ext4 spreads over its groups. Else each run looks
    past the thousands of files that the one before it deleted: without a journal ext4 does not give their inodes out again
    for minutes, and searches one by one for others."""
    with tempfile.TemporaryDirectory(prefix='gaggle-bench-') as directory:
        handle = os.open(directory, os.O_RDONLY)
        with contextlib.suppress(OSError):  # another file system knows no such flag
            flags = array.array('L', [0])
            fcntl.ioctl(handle, FS_IOC_GETFLAGS, flags)
            flags[0] |= FS_TOPDIR_FL
            fcntl.ioctl(handle, FS_IOC_SETFLAGS, flags)
        os.close(handle)
        tempfile.tempdir = directory
        try:
            yield
        finally:
            tempfile.tempdir = None


class Client:
    """One kept connection to a peer's API."""

    def __init__(self, peer):
        self.connection = http.client.HTTPConnection(peer.address, HTTP_PORT, timeout=60)
        self.headers = {'X-Nomad-Token': published_token(peer.address), 'Content-Type': 'application/json'}

    def ask(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body else None, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        check(answer.status == 200, f'{method} {path}: {answer.status} {text.decode(errors="replace")}')
        return json.loads(text), int(answer.headers['X-Nomad-Index'])


def job(name, kind, command, count=1):
    """The issue's allocation: cpu 1, memory 10, disk 10, logs 1 x 1 MB."""
    task = {'Name': 't', 'Driver': 'raw_exec', 'Config': {'command': command[0], 'args': command[1:]},
            'Resources': {'CPU': 1, 'MemoryMB': 10}, 'LogConfig': {'MaxFiles': 1, 'MaxFileSizeMB': 1}}
    group = {'Name': 'g', 'Count': count, 'EphemeralDisk': {'SizeMB': 10}, 'Tasks': [task]}
    return {'Job': {'ID': name, 'Name': name, 'Type': kind, 'Datacenters': ['dc1'], 'TaskGroups': [group]}}


def sleeper(name, count=1):
    return job(name, 'service', ['/bin/sleep', '1000'], count)


def spread(seconds):
    ordered = sorted(seconds)
    return f'p50 {statistics.median(ordered) * 1000:.1f} ms, p95 {ordered[len(ordered) * 95 // 100] * 1000:.1f} ms, ' \
           f'most {ordered[-1] * 1000:.1f} ms ({len(ordered)})'


def memory_of(pid):
    """(resident, private dirty) in KiB."""
    with open(f'/proc/{pid}/smaps_rollup') as rollup:
        fields = {line.split(':')[0]: int(line.split()[1]) for line in rollup if line.rstrip().endswith('kB')}
    return fields['Rss'], fields['Private_Dirty']


def fsyncs(directory):
    """Seconds of each of 200 appends of 4 KiB with fsync."""
    took = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        for _ in range(200):
            file.write(b'x' * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return took


def fsync_of_concurrent_writers(directory):
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        return [t for took in pool.map(fsyncs, [directory] * WRITERS) for t in took]


def idle_memory(cluster):
    """Agents of a region of three after 10 s of rest; goal: at most 24 MiB resident, 8 MiB private dirty."""
    time.sleep(REST_SECONDS)
    for peer in cluster:
        resident, dirty = memory_of(peer.process.pid)
        print(f'  idle agent {peer.name}: {resident / 1024:.1f} MiB resident, {dirty / 1024:.1f} MiB private dirty')


def request_to_accepted(cluster):
    """From the HTTP request to its answer: a job of one allocation of /bin/true is registered, planned, and its claim
    accepted and durable; goal: p50 at most 3 x the fsync p50 of three concurrent writers plus 3 ms."""
    disk = fsync_of_concurrent_writers(cluster.directory)
    goal = 3 * statistics.median(disk) + 0.003
    print(f'  fsync, {WRITERS} concurrent writers: {spread(disk)}; goal p50 {goal * 1000:.1f} ms')
    for peer in cluster:
        client, took = Client(peer), []
        for number in range(REQUESTS):
            name = f'accepted-{peer.name}-{number}'
            body = job(name, 'batch', ['/bin/true'])
            began = time.perf_counter()
            client.ask('PUT', '/v1/jobs', body)
            took.append(time.perf_counter() - began)
            allocs, _ = client.ask('GET', f'/v1/job/{name}/allocations')
            check(len(allocs) == 1, f'{name}: the answer came without an accepted claim')
            ended(client, name)
        print(f'  request to accepted at {peer.name}: {spread(took)}')


def ended(client, name):
    """Waits until the job's tasks are done, so that the next request meets idle peers."""
    index = 0
    while True:
        allocs, index = client.ask('GET', f'/v1/job/{name}/allocations?index={index}&wait=10s')
        if all(a['ClientStatus'] in ('complete', 'failed', 'lost') for a in allocs):
            return


def all_running(client, job, count, seconds):
    """Waits by blocking queries, as a client does that misses nothing."""
    index, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        allocs, index = client.ask('GET', f'/v1/job/{job}/allocations?index={index}&wait=10s')
        if sum(a['ClientStatus'] == 'running' for a in allocs) >= count:
            return
    raise TimeoutError(f'{job}: not {count} running after {seconds} s')


def submission_to_running(cluster):
    """From the request to the answer that says "running", for one raw_exec task; goal: p50 at most 50 ms
    (Nomad 1.1.2's dev agent on a machine like this: 252 ms)."""
    client, took = Client(cluster[0]), []
    for number in range(SUBMISSIONS):
        job = f'running-{number}'
        began = time.perf_counter()
        client.ask('PUT', '/v1/jobs', sleeper(job))
        all_running(client, job, 1, 30)
        took.append(time.perf_counter() - began)
    print(f'  submission to running: {spread(took)}')
    shims = [memory_of(pid)[1] for peer in cluster for pid in peer.supervisor_pids()]
    print(f'  a shim: {statistics.median(shims):.0f} KiB private dirty (most {max(shims)}; goal 400)')


def failover_in_silence(cluster):
    """A peer is stopped and its tasks are killed: no port refuses, nobody answers. One run, by phase (lost_after 10 s)."""
    submitted = cluster[0]
    Client(submitted).ask('PUT', '/v1/jobs', sleeper('silent'))
    alloc = wait_until(lambda: submitted.all_allocs('silent', 'running', 1), 30, 'it runs', cluster.peers)[0]
    silent = cluster.peer_of(alloc)
    survivor = next(p for p in cluster if p is not silent)
    watch = Watch(survivor, silent.name)
    watch.start()
    before = began = time.time()
    silent.pause()
    silent.kill_tasks()
    new = wait_until(lambda: survivor.replacement('silent', alloc), 120, 'it runs elsewhere', cluster.peers)
    watch.close()
    for name, at in phases(watch, survivor.alloc(new['ID']), 't'):
        print(f'  {at - began:6.1f} s  {name:14} +{at - before:5.2f} s')
        before = at
    silent.resume()


def dev_peer(tasks):
    """A peer that says it has room for so many of `job`'s tasks."""
    return DevPeer(options=['--memory-total', 40 * tasks, '--cpu-total', 4 * tasks, '--disk-total', 40 * tasks])


def stopped(peer, client, job):
    client.ask('DELETE', f'/v1/job/{job}?purge=true')
    wait_until(lambda: not peer.supervisor_pids(), 120, 'all are stopped', [peer])


def cpu_seconds(pid):
    """User and system time of all its threads so far."""
    with open(f'/proc/{pid}/stat') as stat:
        fields = stat.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def hundred_idle_tasks():
    """An agent with 100 allocations that do nothing, over a minute; goal: at most 0.5 % of a core and 32 MiB."""
    with dev_peer(IDLE_TASKS) as peer:
        client = Client(peer)
        client.ask('PUT', '/v1/jobs', sleeper('idle', count=IDLE_TASKS))
        all_running(client, 'idle', IDLE_TASKS, 60)
        time.sleep(REST_SECONDS)
        before, began = cpu_seconds(peer.process.pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        used = (cpu_seconds(peer.process.pid) - before) / (time.monotonic() - began)
        resident, dirty = memory_of(peer.process.pid)
        print(f'  {used * 100:.2f} % of a core, {resident / 1024:.1f} MiB resident, {dirty / 1024:.1f} MiB private dirty')
        stopped(peer, client, 'idle')


def thousand_tasks():
    """One job of 1,000 allocations of `sleep` on one peer, and 1,000 services of s6, which only start and log; goal: all
    running in at most 5 s, at most 400 KiB private dirty a task (Nomad 1.1.2: about 25 s and 20 MiB)."""
    took, shims = [], []
    for _ in range(MANY_TIMES):
        with dev_peer(MANY) as peer:
            client = Client(peer)
            began = time.perf_counter()
            client.ask('PUT', '/v1/jobs', sleeper('many', count=MANY))
            all_running(client, 'many', MANY, 120)
            took.append(time.perf_counter() - began)
            shims += [memory_of(pid)[1] for pid in peer.supervisor_pids()]
            resident, dirty = memory_of(peer.process.pid)
            stopped(peer, client, 'many')
    print(f'  {MANY} allocations running after {statistics.median(took):.1f} s (of {MANY_TIMES}: most {max(took):.1f} s)')
    print(f'  a shim: {statistics.median(shims):.0f} KiB private dirty (most {max(shims)})')
    print(f'  its agent then: {resident / 1024:.1f} MiB resident, {dirty / 1024:.1f} MiB private dirty')
    if shutil.which('s6-svscan'):
        thousand_of_s6()
    else:
        print('  s6 is not installed: no comparison')


def thousand_of_s6():
    """The same programs under s6-svscan: s6-supervise and s6-log for each."""
    with tempfile.TemporaryDirectory() as directory:
        for number in range(MANY):
            for place, command in ((f'{number}', 'exec sleep 1000'), (f'{number}/log', 'exec s6-log n1 s1000000 ./out')):
                os.makedirs(os.path.join(directory, place))
                with open(os.open(os.path.join(directory, place, 'run'), os.O_WRONLY | os.O_CREAT, 0o755), 'w') as run:
                    run.write(f'#!/bin/sh\n{command}\n')
        began = time.perf_counter()
        scan = subprocess.Popen(['s6-svscan', '-c', str(2 * MANY), directory], stderr=subprocess.DEVNULL)
        try:
            def named(name):
                return [pid for pid in processes.descendants(scan.pid) if processes.name_of(pid) == name]
            wait_until(lambda: len(named('sleep')) == MANY, 120, 'all services of s6 run')
            print(f'  {MANY} services of s6 running after {time.perf_counter() - began:.1f} s')
            helpers = [memory_of(pid)[1] for pid in named('s6-supervise') + named('s6-log')]
            print(f'  s6-supervise twice and s6-log: {sum(helpers) / MANY:.0f} KiB private dirty a service')
        finally:
            below = processes.descendants(scan.pid)
            scan.kill()
            for pid in below:
                processes.send(pid, signal.SIGKILL)
            scan.wait()


def main():
    words = sys.argv[1:]
    def wanted(measure):
        return not words or any(word in measure.__name__ for word in words)
    processes.adopt_orphans()
    with spread_directory():
        measure_all(wanted)


def measure_all(wanted):
    of_three = [m for m in (idle_memory, request_to_accepted, submission_to_running, failover_in_silence) if wanted(m)]
    if of_three:
        with Cluster(3) as cluster:
            cluster.form()
            for measure in of_three:
                print(' '.join(measure.__doc__.split()))
                measure(cluster)
    for measure in filter(wanted, (hundred_idle_tasks, thousand_tasks)):
        print(' '.join(measure.__doc__.split()))
        measure()


main()
