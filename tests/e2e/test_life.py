"""The life of a group's tasks: hooks, checks, commands; and what outlives a binary and a machine."""
import os
import re
import shutil
import subprocess
import uuid

from harness import GCTL, Cluster, DevPeer, Skip, check, check_says, lazily, wait_until
from jobs import COUNT_ALOUD, DISK, SLEEP, job

dev = lazily(DevPeer)

TASK = '''
    task "{name}" {{
      driver = "raw_exec"
      {extra}
      kill_timeout = "1s"
      config {{
        command = "/bin/sh"
        args    = ["-c", "{script}"]
      }}
      logs {{
        max_files     = 2
        max_file_size = 5
      }}
      resources {{
        cpu    = 10
        memory = 10
      }}
    }}
'''
HOOKS = '''
job "hooks" {{
  type = "batch"
  group "g" {{
    ephemeral_disk {{
      size = 150
    }}
    {tasks}
  }}
}}
'''
TELL = 'echo $NOMAD_TASK_NAME >> $NOMAD_ALLOC_DIR/data/story'


def close():
    dev.close()


def hook(name, sidecar=False):
    return f'lifecycle {{\n hook = "{name}"\n sidecar = {str(sidecar).lower()}\n }}'


def events(peer, alloc, task):
    return [e['Type'] for e in peer.alloc(alloc['ID'])['TaskStates'][task]['Events']]


def test_hooks_run_in_their_order():
    """Prestart, main, poststart, poststop run in this order; a sidecar ends when the main task is done."""
    peer = dev()
    tasks = [TASK.format(name='cleanup', extra=hook('poststop'), script=TELL),
             TASK.format(name='main', extra='', script=TELL + '; sleep 2'),
             TASK.format(name='announce', extra=hook('poststart'), script=TELL),
             TASK.format(name='init', extra=hook('prestart'), script='sleep 1; ' + TELL),
             TASK.format(name='proxy', extra=hook('prestart', sidecar=True), script=SLEEP)]
    peer.run_job(HOOKS.format(tasks=''.join(tasks)))
    alloc = wait_until(lambda: peer.all_allocs('hooks', 'complete', 1), 60, 'it is complete', [peer])[0]
    with open(os.path.join(peer.data_dir, 'alloc', alloc['ID'], 'alloc', 'data', 'story')) as file:
        told = file.read().split()
    check(told == ['init', 'main', 'announce', 'cleanup'], f'the order was {told}')
    check('Main Tasks Dead' in events(peer, alloc, 'proxy'), 'the sidecar was told why it ends')
    check(not any(s['Failed'] for s in peer.alloc(alloc['ID'])['TaskStates'].values()), 'nothing failed')


def test_failing_script_restarts_its_task():
    """A script check runs in its task; when it keeps failing, check_restart restarts the task."""
    peer = dev()
    script = 'if [ -e $NOMAD_TASK_DIR/seen ]; then touch $NOMAD_TASK_DIR/well; fi; touch $NOMAD_TASK_DIR/seen; ' + SLEEP
    extra = '''
      restart {
        delay = "100ms"
      }
      service {
        name = "probed"
        check {
          name     = "well"
          type     = "script"
          command  = "/bin/sh"
          args     = ["-c", "test -e $NOMAD_TASK_DIR/well"]
          interval = "1s"
          timeout  = "5s"
          check_restart {
            limit = 2
            grace = "1s"
          }
        }
      }'''
    peer.run_job(job('probed', script, task_extra=extra))

    def restarted():
        allocs = peer.all_allocs('probed', 'running', 1)
        return allocs and peer.alloc(allocs[0]['ID'])['TaskStates']['t']['Restarts'] == 1 and allocs[0]
    alloc = wait_until(restarted, 40, 'the task was restarted', [peer])
    check('Restart Signaled' in events(peer, alloc, 't'), 'the event says that it was asked to restart')
    peer.gctl('job', 'stop', 'probed')


TLS_SERVER = '''
import http.server, os, ssl, sys
server = http.server.ThreadingHTTPServer(("", int(os.environ["NOMAD_PORT_web"])), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
server.socket = context.wrap_socket(server.socket, server_side=True)
os.chdir("/var/empty" if os.path.isdir("/var/empty") else "/")
server.serve_forever()
'''


def test_check_over_https():
    """A check over https refuses a certificate that the machine does not trust, in words, unless it is told not to."""
    if not shutil.which('openssl'):
        raise Skip('openssl is missing')
    peer = dev()
    pem, program = os.path.join(peer.directory, 'tls.pem'), os.path.join(peer.directory, 'tls.py')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=web', '-addext', 'subjectAltName=DNS:web', '-keyout', pem, '-out', pem + '.cert'],
                   check=True, capture_output=True)
    with open(pem + '.cert') as cert, open(pem, 'a') as both:
        both.write(cert.read())
    with open(program, 'w') as file:
        file.write(TLS_SERVER)
    service = '''
      service {{
        name = "{0}"
        port = "web"
        check {{
          type            = "http"
          protocol        = "https"
          path            = "/"
          interval        = "1s"
          timeout         = "5s"
          tls_skip_verify = {1}
        }}
      }}'''
    update = 'update {\n min_healthy_time = "1s"\n healthy_deadline = "10s"\n }\n'
    peer.run_job(job('tls', f'exec python3 {program} {pem}', task_extra=service.format('easy', 'true') +
                     service.format('strict', 'false'), group_extra='network {\n port "web" {}\n }\n' + DISK,
                     job_extra=update), '--detach')

    def health(name):
        found = peer.ask('service', 'info', name)
        return found and found[0]['Health']
    wait_until(lambda: health('easy') == 'passing', 40, 'any certificate will do', [peer])
    wait_until(lambda: health('strict') == 'failing', 40, 'a stranger will not do', [peer])
    alloc = peer.all_allocs('tls', 'running', 1)[0]
    wait_until(lambda: 'Alloc Unhealthy' in events(peer, alloc, 't'), 40, 'it is not well', [peer])
    check_says(peer.gctl('alloc', 'status', alloc['ID'][:8]), 'strict.*certificate was not accepted: self-signed certificate',
               r'Nomad Service Checks\n.*\n *easy +t .*success.*200 OK\n *strict +t .*failure.*self-signed certificate')
    results = peer.ask('alloc', 'checks', alloc['ID'][:8]).values()
    check({r['Service']: (r['Status'], r['StatusCode']) for r in results} ==
          {'easy': ('success', 200), 'strict': ('failure', 0)}, f'what they said last is told: {results}')
    peer.gctl('job', 'stop', 'tls')


# Holds 100,000 descriptors, by as many processes as the machine's limit for one of them makes necessary.
HOARD = '''
import os, resource, time
most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 100_010)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
reads, writes = os.pipe()
left, children = 100_000, 0
while left > 0:
    mine = min(left, most - 10)
    left, children = left - mine, children + 1
    if os.fork() == 0:
        held = [os.open("/dev/null", 0) for _ in range(mine)]
        os.write(writes, b"x")
        time.sleep(1000)
for _ in range(children):
    os.read(reads, 1)
print("all", flush=True)
time.sleep(1000)
'''


def test_bad_tasks_harm_nobody_else():
    """Tasks that fork away, ignore signals, delete their directory, flood their log, hold 100,000 descriptors or have
    an odd name end as they should, and an honest one beside them does not notice."""
    peer = dev()
    bad = {
        'forks': '(setsid sleep 1000 &) ; exec sleep 1000',
        'deaf': 'trap "" INT TERM; while :; do sleep 1; done',
        'homeless': 'cd /; rm -rf "$(dirname $NOMAD_TASK_DIR)"; exec sleep 1000',
        'floods': 'exec cat /dev/zero',
        'hoards': f"exec python3 -c '{HOARD}'",
        'odd': SLEEP,
    }
    for name, script in bad.items():
        text = job(name, script, task_extra='kill_timeout = "1s"')
        peer.run_job(text.replace('task "t"', 'task "\N{SNOWMAN} t\u00e4sk"') if name == 'odd' else text)
    for name in bad:
        wait_until(lambda: peer.all_allocs(name, 'running', 1), 40, f'{name} runs', [peer])
    hoarder = peer.all_allocs('hoards', 'running', 1)[0]['ID']
    wait_until(lambda: peer.gctl('alloc', 'logs', hoarder).split() == ['all'], 40, 'it holds 100,000', [peer])
    peer.run_job(job('honest', 'echo fine', type='batch'))
    good = wait_until(lambda: peer.all_allocs('honest', 'complete', 1), 40, 'the honest one is done', [peer])[0]
    check(peer.gctl('alloc', 'logs', good['ID']) == 'fine\n', 'its log is its own')
    for name in bad:
        peer.gctl('job', 'stop', name)
    wait_until(lambda: not peer.task_pids(), 40, 'nothing of them is left', [peer])


def test_binary_is_replaced_under_running_tasks():
    """Tasks started by one build are taken over by another, whose programs lie elsewhere: same pids, whole log."""
    with Cluster(1) as cluster:
        peer = cluster[0]
        old = os.path.join(cluster.directory, 'old')
        os.mkdir(old)
        for program in ('gctl', 'gctl-shim'):
            with open(os.path.join(os.path.dirname(GCTL), program), 'rb') as file:
                other = file.read().replace(b'0.1.0', b'0.0.9')
            path = os.path.join(old, program)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755), 'wb') as file:
                file.write(other)
        peer.program = os.path.join(old, 'gctl')
        cluster.form()
        peer.run_job(job('aloud', COUNT_ALOUD))
        alloc = wait_until(lambda: peer.all_allocs('aloud', 'running', 1), 40, 'it runs', [peer])[0]
        pids = peer.steady_pids()
        peer.kill()
        shutil.rmtree(old)
        peer.program = GCTL
        peer.start()
        check(peer.steady_pids() == pids, 'the new build has the same processes')
        shown = lambda: peer.gctl('alloc', 'logs', alloc['ID']).splitlines()
        before = len(shown())
        lines = wait_until(lambda: len(got := shown()) > before + 20 and got, 30, 'the log goes on', [peer])
        check(lines == [f'line {i}' for i in range(1, len(lines) + 1)], 'without a gap')
        check(peer.alloc(alloc['ID'])['TaskStates']['t']['Restarts'] == 0, 'nothing was restarted')
        peer.gctl('job', 'stop', 'aloud')
        wait_until(lambda: not peer.task_pids(), 30, 'the new agent stops what the old one started', [peer])


def test_reboot_alone_starts_what_was_committed():
    """A machine that reboots with no other peer in reach starts its tasks from its own disk after half a minute."""
    cluster = Cluster(3)
    boot_file = os.path.join(cluster.directory, 'boot_id')

    def boot():
        with open(boot_file, 'w') as file:
            file.write(f'{uuid.uuid4()}\n')
    boot()
    # The kernel's own id is the same for all of them; this peer's machine has one that we can change.
    cluster[0].prefix = ['unshare', '-m', 'sh', '-c',
                         'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"', boot_file]
    with cluster.form():
        peer = cluster[0]
        here = 'constraint {\n attribute = "${node.unique.name}"\n value = "a"\n }'
        cluster[1].run_job(job('alone', COUNT_ALOUD, job_extra=here))
        wait_until(lambda: cluster[1].all_allocs('alone', 'running', 1), 40, 'it runs', cluster.peers)
        before = wait_until(lambda: peer.pids_of_job('alone'), 10, 'it has a process', cluster.peers)
        for other in cluster.peers[1:]:
            other.crash()
        peer.crash()
        boot()
        peer.start(ready=False)
        after = wait_until(lambda: peer.pids_of_job('alone'), 90, 'it is started without the group', [peer])
        check(after != before, 'as a new process')
        check_says(re.sub(r'\s+', ' ', peer.log_text()), 'no peer has answered since this agent started')
