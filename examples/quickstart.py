"""The main job, told step by step: three peers, a Redis with its data, a killed peer, the data on another one.

Started by examples/quickstart, which installs what is missing. Peers are real agents on 127.0.0.1, .2 and .3
with temporary data directories; all is done with `gctl`, `redis-cli` and signals, and cleared away at the end.
"""
import argparse
import glob
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'e2e'))
import harness  # noqa: E402  (found through the line above)
import processes  # noqa: E402
from harness import Failed, wait_until  # noqa: E402
from phases import Watch, phases  # noqa: E402
from redis_job import JOB, address_of, redis, the_allocation  # noqa: E402

KEYS = 1000
KEPT = 'kept-by-quickstart'  # marks a directory that --stop may remove
COLOURS = sys.stdout.isatty() and 'NO_COLOR' not in os.environ


# --- how it is told

def paint(code, text):
    return f'\033[{code}m{text}\033[0m' if COLOURS else text


class Story:
    """Prints numbered steps, commands with what they answered, and small facts."""

    def __init__(self):
        self.number = 0

    def step(self, text):
        self.number += 1
        print(f'\n{paint("1;36", f"{self.number}.")} {paint("1", text)}', flush=True)

    def fact(self, text):
        print('   ' + text, flush=True)

    def command(self, text, output, lines_max=18):
        print(paint('33', f'   $ {text}'))
        lines = output.rstrip().splitlines()
        for line in lines[:lines_max]:
            print('     ' + line)
        if len(lines) > lines_max:
            print(paint('2', f'     ... ({len(lines) - lines_max} more lines)'))
        sys.stdout.flush()

    def gctl(self, peer, *args, lines_max=18):
        self.command('gctl ' + ' '.join(args), peer.gctl(*args), lines_max)


story = Story()


def build():
    """scons with one line of progress; the whole output only when it fails."""
    wanted = subprocess.run(['scons', '-Q', '-n'], cwd=harness.ROOT, capture_output=True, text=True)
    total = sum(line.startswith(('g++', 'ar ', 'ranlib')) for line in wanted.stdout.splitlines())
    if total:
        print(f'Building: {total} commands; a first build takes a few minutes.', flush=True)
    began = time.monotonic()
    run = subprocess.Popen(['scons', '-Q'], cwd=harness.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True)
    said = []
    for line in run.stdout:
        said.append(line)
        done = sum(text.startswith(('g++', 'ar ', 'ranlib', 'Retrieved')) for text in said)
        if COLOURS and total:
            print(f'\r  {done} of {total}', end='', flush=True)
    if run.wait() != 0:
        sys.exit('\n' + ''.join(said[-40:]) + '\nquickstart: the build failed (above); `scons` shows it again')
    if total:
        print(f'\rBuilt in {time.monotonic() - began:.0f} s.          ')


# --- the parts of the story

def require_free_ports(network):
    for i in (1, 2, 3):
        for port in (4646, 4647, 4648, 4649):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((f'{network}.{i}', port))
                except OSError as error:
                    sys.exit(f'quickstart: {network}.{i}:{port} cannot be used: {error.strerror}. Another agent (or '
                             f'a quickstart with --keep) runs there: stop it, or give --network 127.0.5')


def form_region(cluster):
    story.step('Three peers become one region')
    a = cluster[0]
    cluster.found()
    story.fact(f'a  {a.address}  founded it:   gctl cluster init --bind {a.address}')
    invitation = cluster.invite(uses=2)
    with open(invitation) as file:
        text = file.read().strip()
    story.command('gctl cluster invite --uses 2', f'{text[:60]}... ({len(text)} characters)')
    began = time.monotonic()
    for peer in cluster.peers[1:]:
        cluster.join(peer, invitation, ready=False)
        story.fact(f'{peer.name}  {peer.address}  joins:        gctl agent --invitation-file F --bind {peer.address}')
    for peer in cluster.peers[1:]:
        peer.wait_ready()
    cluster.wait_voters(3)
    story.fact(f'Three voters after {time.monotonic() - began:.1f} s.')
    story.gctl(cluster[1], 'members')
    story.gctl(cluster[2], 'region', 'status')


def start_redis(cluster):
    story.step('A Redis, submitted at the peer that will least expect it')
    submitted = cluster[2]
    story.gctl(submitted, 'job', 'run', JOB)
    alloc = wait_until(lambda: the_allocation(submitted), 30, 'redis runs', cluster.peers)
    wait_until(lambda: redis(alloc, 'ping') == 'PONG', 20, 'redis answers', cluster.peers)
    host, port = address_of(alloc)
    story.fact(f'It runs on {paint("1", alloc["NodeName"])}, at {host}:{port}.')
    return alloc


def fill_redis(cluster, alloc):
    story.step(f'{KEYS} keys are written and saved; then two other peers copy them')
    lines = ''.join(f'SET key:{i} "honk {i}"\n' for i in range(KEYS))
    redis(alloc, stdin=lines)
    redis(alloc, 'save')
    saved = time.time_ns()
    story.command('redis-cli dbsize', redis(alloc, 'dbsize'))
    submitted = cluster[2]

    def copied():
        copies = submitted.alloc(alloc['ID']).get('Copies') or []
        fresh = [c for c in copies if c['Complete'] and c['TakenAt'] > saved]
        return fresh if len(fresh) >= 2 else None
    wait_until(copied, 60, 'two copies are newer than the save', cluster.peers)
    story.fact(f'Two copies newer than the save after {(time.time_ns() - saved) / 1e9:.1f} s.')
    story.gctl(submitted, 'job', 'status', 'redis', lines_max=30)
    story.gctl(submitted, 'alloc', 'status', alloc['ID'][:8], lines_max=45)


def kill_and_wait(cluster, alloc):
    victim = cluster.peer_of(alloc)
    others = [p for p in cluster if p is not victim]
    story.step(f'Peer {victim.name} dies: SIGKILL to its agent and all its tasks')
    tasks = victim.task_pids()
    watch = Watch(others[0], victim.name)
    watch.start()
    killed = time.time()
    victim.crash()
    story.fact(f'Killed the agent (pid {victim.process.pid}) and {len(tasks)} processes of its tasks.')
    new = wait_until(lambda: the_allocation(others[1], other_than=alloc['ID']), 120,
                     'redis runs on another peer', others)
    wait_until(lambda: redis(new, 'ping') == 'PONG', 30, 'redis answers again', others)
    answered = time.time()
    watch.close()
    tell_phases(phases(watch, new, 'redis') + [('answers', answered)], killed)
    told = {e['Type']: e['DisplayMessage'] for e in new['TaskStates']['redis']['Events']}
    story.fact(paint('2', told['Task Setup']))
    story.fact(f'Redis runs on {paint("1", new["NodeName"])} now.')
    return victim, others, new


MEANINGS = {'suspected': 'gossip: the others doubt it, no new work for it',
            'declared lost': 'detect: the commit group agrees',
            'placed anew': 'decide: after lost_after (10 s), near a copy',
            'restored': 'restore: the copy is renamed into place',
            'started': 'run: the process exists',
            'answers': 'redis-cli ping'}


def tell_phases(seen, killed):
    before = killed
    for name, at in seen:
        story.fact(f'{at - killed:6.1f} s  {paint("1", f"{name:14}")} +{max(0, at - before):5.2f} s   {MEANINGS[name]}')
        before = at


def read_back(others, new):
    story.step('The keys are read back')
    count = redis(new, 'dbsize').split()[-1]
    last = redis(new, 'get', f'key:{KEYS - 1}')
    story.command('redis-cli dbsize', count)
    story.command(f'redis-cli get key:{KEYS - 1}', last)
    if int(count) != KEYS or last != f'honk {KEYS - 1}':
        raise Failed(f'{KEYS} keys were saved, {count} came back')
    story.gctl(others[0], 'job', 'status', 'redis', lines_max=30)


def come_back(cluster, victim, new):
    story.step(f'Peer {victim.name} comes back: nothing runs twice, and the copies are two again')
    began = time.monotonic()
    victim.start()

    def whole():
        alloc = the_allocation(victim)
        copies = [c for c in (alloc or {}).get('Copies') or [] if c['Complete']]
        return alloc if alloc and alloc['ID'] == new['ID'] and len(copies) >= 2 else None
    wait_until(whole, 90, 'two complete copies again, and the same allocation', cluster.peers)
    story.fact(f'Two copies again after {time.monotonic() - began:.1f} s.')
    ours = sorted({pid for peer in cluster for pid in peer.task_pids()})
    listing = ['ps', '-o', 'pid,args', '-p', ','.join(map(str, ours))]
    story.fact('All processes of tasks, on all three peers:')
    story.command(' '.join(listing), subprocess.run(listing, capture_output=True, text=True, timeout=20).stdout)
    servers = [pid for pid in ours if processes.command_of(pid).startswith('redis-server')]
    if len(servers) != 1:
        raise Failed(f'one redis-server should run, there are {len(servers)}')
    if victim.task_pids():
        raise Failed(f'{victim.name} started its old allocation again')
    story.gctl(victim, 'alloc', 'status', new['ID'][:8], lines_max=45)
    story.gctl(victim, 'region', 'status')


def leave_running(cluster):
    print('\n' + paint('1', 'The peers run on. Talk to them:'))
    path = os.path.relpath(os.path.dirname(harness.GCTL))
    print(f'   export PATH="$PWD/{path}:$PATH"')
    for peer in cluster:
        print(f'   export GCTL_ADDR=http://{peer.address}:4646   # {peer.name}, pid {peer.process.pid}, '
              f'log {peer.log_path}')
    print('   gctl job status redis')
    with open(os.path.join(cluster.directory, KEPT), 'w') as mark:
        mark.write('examples/quickstart --stop removes this directory and ends all that runs from it\n')
        mark.writelines(f'peer {peer.address}\n' for peer in cluster)
    print(paint('1', 'Stop the peers and their tasks, and remove their data:'))
    print(f'   {os.path.relpath(os.path.join(HERE, "quickstart"))} --stop {cluster.directory}')


def networks_of(directory):
    """Network namespaces of the allocations below `directory`."""
    allocs = {os.path.basename(path) for path in glob.glob(os.path.join(directory, '*', 'alloc', '*'))}
    return sorted(allocs & set(os.listdir('/run/netns') if os.path.isdir('/run/netns') else ()))


def stop_jobs(directory):
    """Whatever was started there since: only an agent takes away what a job has beside its processes and files (its
    network, its containers). Done through the first agent that answers; nothing when none does."""
    with open(os.path.join(directory, KEPT)) as mark:
        addresses = [line.split()[1] for line in mark if line.startswith('peer ')]

    def jobs_at(address):
        told = harness.run_gctl('job', 'status', '--json', address=address)
        return json.loads(told.stdout) if told.returncode == 0 else None
    there = next((address for address in addresses if jobs_at(address) is not None), None)
    if there is None:
        return
    for job in jobs_at(there):
        harness.run_gctl('job', 'stop', '-yes', '-detach', job['ID'], address=there)

    def at_rest():
        told = harness.run_gctl('job', 'status', '--json', address=there)
        alive = [j for j in json.loads(told.stdout or '[]') if j['Status'] == 'running' and not j['ParameterizedJob']]
        return not alive and not networks_of(directory)
    try:
        wait_until(at_rest, 40, 'all jobs have ended, and their networks are gone')
    except Failed as late:
        print(f'quickstart: {late}')


def remove_bridge():
    """The bridge and the firewall's chain that agents leave for their next job, once no agent is there any more."""
    pids = [int(name) for name in os.listdir('/proc') if name.isdigit()]
    if any(processes.command_of(pid).split()[1:2] == ['agent'] for pid in pids if processes.name_of(pid) == 'gctl'):
        return
    ports = subprocess.run(['ip', '-o', 'link', 'show', 'master', 'gaggle'], capture_output=True, text=True)
    if ports.returncode != 0 or ports.stdout:
        return
    subprocess.run(['ip', 'link', 'delete', 'gaggle'], check=False)
    rules = subprocess.run(['iptables-save', '-t', 'filter'], capture_output=True, text=True).stdout.splitlines()
    for rule in [line for line in rules if line.startswith('-A') and line.endswith('-j GAGGLE-ADMIN')]:
        subprocess.run(['iptables', '-D', *shlex.split(rule)[1:]], check=False)
    if any(line.startswith(':GAGGLE-ADMIN') for line in rules):
        subprocess.run(['iptables', '-F', 'GAGGLE-ADMIN'], check=False)
        subprocess.run(['iptables', '-X', 'GAGGLE-ADMIN'], check=False)


def stop(directory):
    """Ends what a quickstart with --keep has left in `directory`, and removes it."""
    directory = os.path.realpath(directory)
    if not os.path.exists(os.path.join(directory, KEPT)):
        sys.exit(f'quickstart: {directory} was not left by examples/quickstart --keep, which prints what to stop')
    running = processes.belonging(directory)
    stop_jobs(directory)
    left = networks_of(directory)
    harness.clear_away(directory, lambda: processes.belonging(directory))
    if os.path.exists(directory):
        sys.exit(f'quickstart: {directory} could not be removed: {", ".join(os.listdir(directory))} is left')
    if left:
        sys.exit('quickstart: no agent took away the networks of ' + ', '.join(left) + '; `ip netns delete ID` does')
    if shutil.which('ip') and shutil.which('iptables') and os.geteuid() == 0:
        remove_bridge()
    print(f'Ended {len(running)} processes, removed {directory} and the tokens of its agents.')


def tell(options):
    cluster = harness.Cluster(3, network=options.network)
    keep = False
    began = time.monotonic()
    try:
        form_region(cluster)
        alloc = start_redis(cluster)
        fill_redis(cluster, alloc)
        victim, others, new = kill_and_wait(cluster, alloc)
        read_back(others, new)
        come_back(cluster, victim, new)
        print('\n' + paint('1;32', f'All {KEYS} keys survived their machine ({time.monotonic() - began:.0f} s).'))
        keep = options.keep
        if keep:
            leave_running(cluster)
    finally:
        if not keep:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not stop the clearing away
            cluster.close()


def main():
    parser = argparse.ArgumentParser(prog='examples/quickstart', description=__doc__.split('\n')[0])
    parser.add_argument('--keep', action='store_true',
                        help='leave the peers running; print how to use and to stop them')
    parser.add_argument('--network', default='127.0.0', metavar='A.B.C',
                        help='first three numbers of the loopback addresses (default 127.0.0)')
    parser.add_argument('--stop', metavar='DIR', help='end what --keep has left running, and remove it')
    options = parser.parse_args()
    if options.stop:
        return stop(options.stop)
    for name in ('scons', 'redis-server', 'redis-cli'):
        if not shutil.which(name):
            sys.exit(f'quickstart: {name} is missing; start examples/quickstart, which installs it')
    if 'GCTL' not in os.environ:
        build()
    require_free_ports(options.network)
    processes.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        tell(options)
    except KeyboardInterrupt:
        sys.exit('\nquickstart: stopped; everything was cleared away')
    except (Failed, SystemError) as problem:
        sys.exit(f'\nquickstart: {problem}\n(everything was cleared away)')


main()
