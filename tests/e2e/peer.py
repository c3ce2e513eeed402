"""One peer: a `gctl agent` process with an address and a data directory of its own, and `gctl` to talk to it."""
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile

import processes
from tokens import HTTP_PORT
from waiting import PATIENCE, Failed, tails, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GCTL = os.environ.get('GCTL', os.path.join(ROOT, 'build', 'bin', 'gctl'))

# What is finished stays, however full the machine is that tests run on, unless a test says otherwise.
KEEPING = ['--gc-disk-usage-threshold', '100', '--gc-inode-usage-threshold', '100']


def environment(address=None):
    """Ours without what would send `gctl` elsewhere."""
    out = {k: v for k, v in os.environ.items() if not k.startswith(('NOMAD_', 'GCTL_'))}
    if address:
        out['GCTL_ADDR'] = f'http://{address}:{HTTP_PORT}'
    return out


def run_gctl(*args, address=None, stdin='', env=None, prefix=(), timeout=60):
    """`gctl ARGS` to its end: a CompletedProcess with text."""
    return subprocess.run([*prefix, GCTL, *map(str, args)], input=stdin, capture_output=True, text=True,
                          env={**environment(address), **(env or {})}, timeout=timeout * PATIENCE)


class Agent:
    """The process: its life and its death. `prefix` is put before every command line: another user, a namespace."""

    def __init__(self, name, address, directory, prefix=()):
        self.name = name
        self.address = address    # where other peers reach it
        self.http_address = address
        self.directory = directory
        self.data_dir = os.path.join(directory, name)
        self.log_path = os.path.join(directory, name + '.log')
        self.prefix = list(prefix)
        self.program = GCTL
        self.process = None
        self.keeps_data = True

    def start(self, *options, ready=True):
        """Starts the agent and, unless told otherwise, waits until it answers."""
        data = ['--data-dir', self.data_dir] if self.keeps_data else []
        keeping = [] if KEEPING[0] in options else KEEPING
        command = [*self.prefix, self.program, 'agent', *data, *keeping, *map(str, options)]
        with open(self.log_path, 'a') as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**environment(), 'TMPDIR': self.directory}, cwd='/',
                                            start_new_session=True)
        processes.expected.add(self.process.pid)
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30, peers=()):
        """Until it answers and the region takes it as a place to run on; in vain, the logs of `peers` show too."""
        def answers():
            if self.process.poll() is not None:
                raise SystemError(f'agent {self.name} ended with {self.process.returncode}:' + tails([self]))
            nodes = self.ask('node', 'status')
            return any(n['Name'] == self.name and n['Status'] == 'ready' for n in nodes)
        wait_until(answers, seconds, f'agent {self.name} is ready at {self.address}', peers or [self])

    def running(self):
        return self.process is not None and self.process.poll() is None

    def condition(self):
        """For people: what the process is at now."""
        if self.process is None:
            return 'never started'
        ended = self.process.poll()
        return f'pid {self.process.pid} runs' if ended is None else f'pid {self.process.pid} ended with {ended}'

    def pause(self):
        """Stopped, not ended: its sockets stay open and silent."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL to the agent alone; its tasks run on."""
        self.process.kill()
        self.process.wait(10 * PATIENCE)

    def stop(self):
        """SIGTERM to the agent alone; its exit status."""
        self.process.terminate()
        return self.process.wait(30 * PATIENCE)

    def crash(self):
        """As if the machine had lost its power: the agent and all its tasks at once, by SIGKILL."""
        tasks = self.task_pids()
        self.kill()
        for pid in tasks:
            processes.send(pid, signal.SIGKILL)
        processes.kill_all(self.task_pids)

    def kill_tasks(self):
        processes.kill_all(self.task_pids)

    # --- its processes

    def owns(self, pid):
        return processes.uses(pid, self.data_dir)

    def task_pids(self):
        """Supervisors, tasks and what those started, whether the agent lives or not."""
        mine = [p for p in processes.descendants() if p != (self.process and self.process.pid) and self.owns(p)]
        return processes.with_descendants(mine)

    def supervisor_pids(self):
        return [pid for pid in self.task_pids() if processes.name_of(pid) == 'gctl-shim']

    def steady_pids(self):
        """Supervisors and the first process of each task: what must not change while the agent comes and goes."""
        shims = self.supervisor_pids()
        return sorted(shims + [p for p in self.task_pids() if processes.state_and_parent(p)[1] in shims])

    def pids_of_job(self, job, alloc_ids=None):
        """First processes of the job's tasks here; only those of the given allocations."""
        firsts = set(self.steady_pids()) - set(self.supervisor_pids())
        told = {pid: processes.environment_of(pid) for pid in firsts}
        return sorted(pid for pid, env in told.items() if env.get('NOMAD_JOB_ID') == job
                      and (alloc_ids is None or env.get('NOMAD_ALLOC_ID') in alloc_ids))

    def seen(self, path):
        """A path of the peer's machine, as it is reached from here."""
        return path

    def log_text(self):
        try:
            with open(self.log_path, errors='replace') as log:
                return log.read()
        except FileNotFoundError:
            return ''

    # --- the command line, at this peer

    def try_gctl(self, *args, stdin='', timeout=60):
        return run_gctl(*args, address=self.http_address, stdin=stdin, prefix=self.prefix, timeout=timeout)

    def gctl(self, *args, timeout=60):
        """What it prints; a failing command is a Failed with all it said."""
        run = self.try_gctl(*args, timeout=timeout)
        if run.returncode != 0:
            raise Failed(f'gctl {" ".join(map(str, args))} at {self.name} ended with {run.returncode}:\n'
                         + run.stdout + run.stderr)
        return run.stdout

    def ask(self, *args):
        """The same with --json, parsed."""
        text = self.gctl(*args, '--json')
        try:
            return json.loads(text)
        except ValueError:
            raise Failed(f'gctl {" ".join(map(str, args))} --json printed no JSON:\n{text}') from None


class Peer(Agent):
    """What tests ask a peer about jobs, in the words of the API."""

    def twin(self):
        """Another agent with the same data directory."""
        twin = type(self)(self.name, self.address, self.directory, prefix=self.prefix)
        twin.log_path += '.twin'
        return twin

    # --- jobs

    def job_file(self, text):
        suffix = '.json' if text.lstrip().startswith('{') else '.nomad'
        name = text.split('"')[1] if suffix == '.nomad' else 'job'
        path = os.path.join(tempfile.mkdtemp(dir=self.directory, prefix='job-'), name + suffix)
        with open(path, 'w') as file:
            file.write(text)
        os.chmod(os.path.dirname(path), 0o755)
        return path

    def run_job(self, text, *options, expect=(0,)):
        """`gctl job run`; waits until it is placed unless `--detach` is among the options."""
        run = self.try_gctl('job', 'run', *options, self.job_file(text))
        if expect is not None and run.returncode not in expect:
            raise Failed(f'gctl job run {" ".join(options)} at {self.name} ended with {run.returncode}:\n'
                         + run.stdout + run.stderr + self.told_of(run.stdout) + tails([self]))
        return run

    def told_of(self, monitored):
        """For people: what became of the allocations that `job run` named."""
        return ''.join(self.try_gctl('alloc', 'status', short).stdout
                       for short in re.findall(r'Allocation "(\w+)" created', monitored))

    def plan_job(self, text):
        return self.try_gctl('job', 'plan', self.job_file(text))

    def allocs(self, job):
        """Stubs, newest last; none for a job that nobody knows."""
        return sorted(self.ask('job', 'status', job)['Allocations'] or [], key=lambda a: a['CreateIndex'])

    def all_allocs(self, job, status, count):
        """The allocations that are wanted (or ended by themselves) and have this status, when there are `count`."""
        found = [a for a in self.allocs(job) if a['ClientStatus'] == status and a['DesiredStatus'] == 'run']
        return found if len(found) == count else None

    def replacement(self, job, old):
        """The running allocation that took the place of `old`, on another peer."""
        return next((a for a in self.allocs(job) if a['ClientStatus'] == 'running' and a['DesiredStatus'] == 'run'
                     and a['ID'] != old['ID'] and a['NodeName'] != old['NodeName']), None)

    def job(self, name):
        return self.ask('job', 'inspect', name)['Job']

    def evaluations(self, job):
        """Oldest first."""
        return sorted(self.ask('job', 'status', '-evals', job)['Evaluations'] or [], key=lambda e: e['CreateIndex'])

    def alloc(self, alloc_id):
        return self.ask('alloc', 'status', alloc_id)

    def node(self, name=None):
        return self.ask('node', 'status', name or self.name)

    def members(self):
        return self.ask('members')['Members']

    def member(self, name):
        found = [m for m in self.members() if m['Name'].split('.')[0] == name]
        if not found:
            raise Failed(f'{self.name} knows no member {name}')
        return found[0]

    def pids_of_allocs(self, allocs):
        return self.pids_of_job(allocs[0]['JobID'], {a['ID'] for a in allocs})

    def state_of(self, alloc):
        """The number in the file that jobs.STATE keeps here; 0 while there is none."""
        path = os.path.join(self.data_dir, 'alloc', alloc['ID'], 'alloc', 'data', 'state')
        try:
            with open(path) as file:
                return int(file.readline())
        except (FileNotFoundError, ValueError):
            return 0

    def follow(self, alloc):
        return self.background('alloc', 'logs', '-f', alloc['ID'])

    @contextlib.contextmanager
    def background(self, *words):
        """A gctl command in the background, and what it says."""
        with tempfile.TemporaryFile('a+') as out:  # appended: read() moves the offset that both share
            command = [*self.prefix, self.program, *words]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
                                       env=environment(self.http_address))
            processes.expected.add(process.pid)
            try:
                yield Follower(out)
            finally:
                process.kill()
                process.wait()


class Follower:
    def __init__(self, out):
        self.out = out

    def read(self):
        """All complete lines so far."""
        self.out.seek(0)
        return self.out.read().split('\n')[:-1]
