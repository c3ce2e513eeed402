"""Looking inside tasks from another peer than the one that runs them: files, logs, figures, terminals."""
import base64
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import urllib.parse
import urllib.request

import jobs
import processes
from harness import HTTP_PORT, Cluster, check, lazily, published_token, wait_until
from peer import GCTL, environment
from terminal import Terminal
from waiting import PATIENCE

cluster = lazily(lambda: Cluster(3).form())

# Writes numbered lines, about a megabyte a second, until it is told to stop; its log files take five.
FLOOD = '''
n=0
long=$(head -c 1000 /dev/zero | tr '\\0' x)
while [ ! -e "$NOMAD_ALLOC_DIR/data/stop" ]; do
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do n=$((n+1)); echo "line $n $long"; done
  sleep 0.02
done
echo "last $n"
exec sleep 1000
'''

INSIDE = '''
mkdir -p "$NOMAD_ALLOC_DIR/data/sub"
printf 'hello, peer\\n' > "$NOMAD_ALLOC_DIR/data/hello.txt"
echo secret > "$NOMAD_SECRETS_DIR/token"
ln -sf /etc "$NOMAD_ALLOC_DIR/data/etc"
ln -sf ../../t/secrets/token "$NOMAD_ALLOC_DIR/data/leak"
echo ready
while :; do seq 3000 > /dev/null; sleep 0.05; done
'''


def close():
    cluster.close()


def run(name, script, **kind):
    """A running allocation of a new job, the peer that runs it, and another one to ask."""
    first = cluster()[0]
    first.run_job(jobs.job(name, script, **kind))
    alloc, = wait_until(lambda: first.all_allocs(name, 'running', 1), 30, f'{name} runs', cluster().peers)
    home = cluster().peer_of(alloc)
    away = next(p for p in cluster() if p is not home)
    return alloc, home, away


inside = lazily(lambda: run('inside', INSIDE))
inside.close = lambda: None


def ready():
    alloc, home, away = inside()
    wait_until(lambda: 'ready' in away.gctl('alloc', 'logs', alloc['ID']), 20, 'the task is ready', [home, away])
    return alloc, home, away


def http(peer, path):
    request = urllib.request.Request(f'http://{peer.http_address}:{HTTP_PORT}{path}',
                                     headers={'X-Nomad-Token': published_token(peer.http_address)})
    with urllib.request.urlopen(request, timeout=20 * PATIENCE) as answer:
        return answer.read().decode()


def refused(peer, *args):
    tried = peer.try_gctl(*args)
    check(tried.returncode == 1, f'{args} was not refused: {tried.stdout}')
    return tried.stderr


def test_files():
    """Directories are listed and files are printed through another peer, byte for byte."""
    alloc, _, away = ready()
    listed = away.ask('alloc', 'fs', alloc['ID'])
    check([f['Name'] for f in listed] == ['alloc', 't'], f'the allocation holds {listed}')
    check(away.gctl('alloc', 'fs', alloc['ID'], 'alloc/data/hello.txt') == 'hello, peer\n', 'cat')
    table = away.gctl('alloc', 'fs', '-H', alloc['ID'], '/alloc/data')
    check('hello.txt' in table and 'sub/' in table and '12 B' in table, table)
    stat = away.ask('alloc', 'fs', '-stat', alloc['ID'], 'alloc/data/hello.txt')
    check(stat['Size'] == 12 and stat['ContentType'].startswith('text/plain'), stat)
    check(http(away, f'/v1/client/fs/readat/{alloc["ID"]}?path=alloc/data/hello.txt&offset=7&limit=4') == 'peer', 'readat')


def test_paths_that_leave():
    """Paths and links that leave the allocation's directory, and secrets, are refused in words."""
    alloc, _, away = ready()
    for path in ('../../../etc/passwd', 'alloc/../../x', 'alloc/data/etc/passwd'):
        check('escapes' in refused(away, 'alloc', 'fs', alloc['ID'], path), path)
    for path in ('t/secrets/token', 'alloc/data/leak'):
        check('secrets are not shown' in refused(away, 'alloc', 'fs', alloc['ID'], path), path)
    check("runner's own" in refused(away, 'alloc', 'fs', alloc['ID'], 'order'), 'order')


def test_figures():
    """Processor time and memory of a task, and the machine's, are told by any peer."""
    alloc, home, away = ready()

    def busy():
        stats = json.loads(http(away, f'/v1/client/allocation/{alloc["ID"]}/stats'))
        return stats if stats['Tasks']['t']['ResourceUsage']['CpuStats']['Percent'] > 1 else None
    stats = wait_until(busy, 20, 'the task is seen to be busy', [home, away])
    check(stats['ResourceUsage']['MemoryStats']['RSS'] > 100_000, stats)
    check('CPU Stats' in away.gctl('alloc', 'status', '-stats', alloc['ID']), 'alloc status -stats')
    node = away.gctl('node', 'status', '-stats', home.name)
    check('Memory Stats' in node and 'cpu0' in node, node)


def test_metrics():
    """Prometheus' text is told by each peer of its own tasks, and every line of it parses."""
    alloc, home, _ = ready()
    text = http(home, '/v1/metrics?format=prometheus')
    sample = re.compile(r'[a-zA-Z_]\w*(\{\w+="(?:[^"\\\n]|\\.)*"(,\w+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+')
    for line in text.splitlines():
        check(line.startswith('# TYPE ') or sample.fullmatch(line), f'no sample: {line}')
    mine = [line for line in text.splitlines() if line.startswith('nomad_client_allocs_memory_rss{')
            and f'alloc_id="{alloc["ID"]}"' in line and 'job="inside"' in line and 'task="t"' in line]
    check(len(mine) == 1, f'{len(mine)} samples of the task')
    check('gaggle_gossip_members{state="alive"} 3' in text, 'members')
    check(json.loads(http(home, '/v1/metrics'))['Gauges'], 'the same as JSON')


@contextlib.contextmanager
def background(peer, *args):
    """A gctl command whose output is collected line by line; `exit_code` gives None while it runs."""
    process = subprocess.Popen([GCTL, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=environment(peer.http_address))
    os.set_blocking(process.stdout.fileno(), False)
    kept = bytearray()

    def text():
        with contextlib.suppress(BlockingIOError):
            while part := os.read(process.stdout.fileno(), 1 << 20):
                kept.extend(part)
        return kept.decode()
    text.exit_code = process.poll
    try:
        yield text
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_logs_across_rotation():
    """A followed log is read across several rotations by another peer, and no line is lost or doubled."""
    alloc, home, away = run('flood', FLOOD, task_extra='', group_extra=jobs.DISK, file_size=1)
    logs = os.path.join(home.data_dir, 'alloc', alloc['ID'], 'alloc', 'logs')

    def rolled():
        numbers = [int(f.rsplit('.', 1)[1]) for f in os.listdir(logs) if f.startswith('t.stdout.')]
        return max(numbers, default=0) >= 3
    with background(away, 'alloc', 'logs', '-f', alloc['ID']) as text:
        wait_until(rolled, 60, 'the log is rolled over', [home, away])
        with open(os.path.join(home.data_dir, 'alloc', alloc['ID'], 'alloc', 'data', 'stop'), 'w'):
            pass
        wait_until(lambda: re.search(r'^last \d+$', text(), re.M), 60, 'the last line has come', [home, away])
        numbers = [int(n) for n in re.findall(r'^line (\d+) ', text(), re.M)]
        last = int(re.search(r'^last (\d+)$', text(), re.M).group(1))
        away.gctl('job', 'stop', '-yes', 'flood')
        wait_until(lambda: text.exit_code() == 0, 30, 'nothing more can come: the command ends', [home, away])
    check(numbers[-1] == last, f'ended with {numbers[-1]} instead of {last}')
    check(numbers == list(range(1, last + 1)), f'a line is missing or doubled: they begin with {numbers[:3]}')


def test_job_logs():
    """All allocations of a job are followed as one, and one that is added later joins."""
    script = 'echo "I am $NOMAD_ALLOC_INDEX"; exec sleep 1000'
    peer = cluster()[1]
    peer.run_job(jobs.job('choir', script, count=2))
    with background(peer, 'job', 'logs', '-f', 'choir') as text:
        def said(count):
            return len(re.findall(r'^[0-9a-f]{8}/t \| I am \d$', text(), re.M)) == count
        wait_until(lambda: said(2), 30, 'both are heard', cluster().peers)
        peer.run_job(jobs.job('choir', script, count=3))
        wait_until(lambda: said(3), 30, 'the third joins', cluster().peers)
    peer.gctl('job', 'stop', '-yes', 'choir')


def test_exec():
    """A command runs in the task's place with its environment; input, output and exit code pass through a peer."""
    alloc, _, away = ready()
    ran = away.try_gctl('alloc', 'exec', '-t=false', alloc['ID'], '/bin/sh', '-c',
                        'cat; echo "$NOMAD_TASK_NAME" >&2; exit 7', stdin='typed\n' * 50_000)
    check(ran.returncode == 7, f'exit code {ran.returncode}: {ran.stderr}')
    check(ran.stdout == 'typed\n' * 50_000, f'{len(ran.stdout)} bytes came back')
    check(ran.stderr == 't\n', ran.stderr)
    none = refused(away, 'alloc', 'exec', '-t=false', alloc['ID'], '/no/such/program')
    check('/no/such/program' in none, none)
    other = refused(away, 'alloc', 'exec', '-task', 'x', alloc['ID'], '/bin/true')
    check('unknown task name "x"; it has: t\n' in other and 'response code' not in other, other)


def test_output_that_cannot_be_kept():
    """A disk that is full is no silent failure: what could not be written, and why."""
    with open('/dev/full', 'w') as full:
        ran = subprocess.run([GCTL, 'job', 'status'], stdout=full, stderr=subprocess.PIPE, text=True,
                             env=environment(cluster()[0].http_address), timeout=20 * PATIENCE)
    check(ran.returncode == 1 and 'write to standard output: No space left on device' in ran.stderr, ran.stderr)


class WebSocket:
    """As a browser has it (RFC 6455): it can send no header, so the token is the first message."""

    def __init__(self, peer, path):
        self.socket = socket.create_connection((peer.http_address, HTTP_PORT), timeout=20 * PATIENCE)
        self.stream = self.socket.makefile('rb')
        self.socket.sendall((f'GET {path} HTTP/1.1\r\nHost: {peer.http_address}:{HTTP_PORT}\r\n'
                             f'Origin: http://{peer.http_address}:{HTTP_PORT}\r\n'
                             'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
                             'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n').encode())
        self.status = self.stream.readline().decode()
        while self.stream.readline().strip():
            pass

    def say(self, what):
        text, mask = json.dumps(what).encode(), os.urandom(4)
        size = bytes([0x80 | len(text)]) if len(text) < 126 else struct.pack('>BH', 0x80 | 126, len(text))
        self.socket.sendall(b'\x81' + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text)))

    def hear(self):
        """(kind, payload) of the next frame: 1 is text, 8 the end with its code."""
        kind, size = self.stream.read(2)
        size = struct.unpack('>H', self.stream.read(2))[0] if size == 126 else size
        return kind & 15, self.stream.read(size)

    def frames(self):
        """What is said until the end, and the end's code."""
        heard = []
        while True:
            kind, payload = self.hear()
            if kind == 8:
                return heard, struct.unpack('>H', payload[:2])[0]
            if kind == 1:
                heard.append(json.loads(payload))

    def close(self):
        self.stream.close()
        self.socket.close()


def test_exec_as_a_browser_does():
    """With ws_handshake=true the token comes in the first message: the command runs with the right one, and with a
    wrong one, or without the parameter, nothing does."""
    alloc, home, away = ready()
    command = urllib.parse.quote(json.dumps(['/bin/sh', '-c', 'read x; echo "heard $x"; exit 5']))
    path = f'/v1/client/allocation/{alloc["ID"]}/exec?task=t&command={command}&ws_handshake='

    def session(flag, *messages):
        client = WebSocket(away, path + flag)
        with contextlib.closing(client):
            if '101' not in client.status:
                return client.status, None
            for message in messages:
                client.say(message)
            return client.frames()
    typed = {'stdin': {'data': base64.b64encode(b'you\n').decode()}}
    good = {'version': 1, 'auth_token': published_token(away.http_address)}
    frames, code = session('true', good, typed)
    said = b''.join(base64.b64decode(f['stdout'].get('data', '')) for f in frames if 'stdout' in f)
    check(said == b'heard you\n', f'the command was heard: {frames}')
    check(frames[-1] == {'exited': True, 'result': {'exit_code': 5}} and code == 1000, f'and its end: {frames} {code}')
    frames, code = session('true', {'version': 1, 'auth_token': 'guess'}, typed)
    check(not frames and code == 1008, f'a wrong token ends it: {frames} {code}')
    frames, code = session('true', typed)
    check(not frames and code == 1008, f'so does none: {frames} {code}')
    status, _ = session('false', good)
    check(' 403 ' in status, f'nobody waits for a token that was not announced: {status}')


def test_terminal():
    """A terminal at the task is a real one: its window's size follows ours, keys work, the exit code comes back."""
    alloc, home, away = ready()
    terminal = Terminal(away, 'alloc', 'exec', '-it', alloc['ID'], '/bin/sh')
    terminal.type('tty; until stty size | grep "30 100"; do :; done; echo si""zed\n')
    terminal.expect(r'/dev/pts/\d+')
    terminal.expect(r'\bsized')
    terminal.resize(40, 120)
    terminal.type('until stty size | grep "40 120"; do :; done; echo re""sized\n')
    terminal.expect(r'resized')
    terminal.type('sleep 1001\n')
    terminal.expect(r'sleep 1001')
    wait_until(lambda: running('sleep 1001'), 20, 'sleep runs', [home, away])
    terminal.type('\x03')  # Ctrl-C goes to the command, not to gctl
    wait_until(lambda: not running('sleep 1001'), 20, 'sleep was interrupted', [home, away])
    terminal.type('exit 9\n')
    check(terminal.wait() == 9, 'exit code')


def running(command):
    """Below this test: another one on this machine may run the same."""
    return [pid for pid in processes.descendants() if processes.command_of(pid) == command]


def test_no_process_is_left():
    """When the client of a session goes, the command in the task goes too."""
    alloc, home, away = ready()
    with background(away, 'alloc', 'exec', '-t=false', '-i=false', alloc['ID'], 'sleep', '1002'):
        wait_until(lambda: running('sleep 1002'), 20, 'the command runs', [home, away])
    wait_until(lambda: not running('sleep 1002'), 20, 'it is gone', [home, away])
