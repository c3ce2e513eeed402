"""What stands between a task's directory and its process: artifacts, templates, secrets, on one real agent."""
import contextlib
import hashlib
import http.server
import io
import os
import tarfile
import threading

import processes
from harness import ROOT, DevPeer, check, check_says, lazily, wait_until
from jobs import job

dev = lazily(DevPeer)
released = threading.Event()  # lets the slow answers go

NO_SECOND_TRY = 'restart {\n attempts = 0\n mode = "fail"\n }\n'
NO_OTHER_PLACE = 'reschedule {\n attempts = 0\n unlimited = false\n }'


def archive(*names, text=b'#!/bin/sh\necho "I came by tar"\n'):
    """A tar.gz with a file of this text under each name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w:gz') as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


GOOD = archive('bin/run')
PAGES = {'/good.tar.gz': GOOD, '/evil.tar.gz': archive('bin/run', '../../evil')}


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = PAGES.get(self.path)
        if self.path == '/slow':
            self.send_response(200)
            self.send_header('Content-Length', '1000000')
            self.end_headers()
            self.wfile.flush()
            released.wait(120)
            return
        self.send_response(200 if body else 404)
        self.send_header('Content-Length', str(len(body or b'')))
        self.end_headers()
        self.wfile.write(body or b'')

    def log_message(self, *_):
        pass


def start_server():
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Pages)
    server.daemon_threads = True
    server.close = lambda: (released.set(), server.shutdown(), server.server_close())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


web = lazily(start_server)


def close():
    web.close()
    dev.close()


def url(path):
    return f'http://127.0.0.1:{web().server_address[1]}{path}'


def mounts():
    with open('/proc/self/mountinfo') as lines:
        return lines.read()


def fetchers():
    return [pid for pid in processes.descendants() if processes.name_of(pid) == 'gctl-fetch']


def test_artifact_template_and_secrets():
    """An archive is fetched and run, templates fill file and environment, secrets are memory that goes away."""
    peer = dev()
    checksum = hashlib.sha256(GOOD).hexdigest()
    extra = f'''
      artifact {{
        source      = "{url('/${NOMAD_META_what}')}"
        destination = "local/app"
        options {{
          checksum = "sha256:{checksum}"
        }}
      }}
      meta {{
        what = "good.tar.gz"
      }}
      template {{
        destination = "${{NOMAD_SECRETS_DIR}}/app.env"
        env         = true
        perms       = "0600"
        data        = "GREETING={{{{ env \\"NOMAD_TASK_NAME\\" | toUpper | printf \\"%s says hello\\" | toJSON }}}}\\n"
      }}
      template {{
        destination = "local/script"
        data        = "{{{{ file \\"local/app/bin/run\\" | sha256Hex }}}}"
      }}
    '''
    script = '''
"$NOMAD_TASK_DIR/app/bin/run"; echo "$GREETING"; cat "$NOMAD_TASK_DIR/script"; echo
stat -f -c %T "$NOMAD_SECRETS_DIR"; stat -c %a "$NOMAD_SECRETS_DIR"; exec sleep 1000
'''
    peer.run_job(job('setup', script, task_extra=extra))
    alloc = wait_until(lambda: peer.all_allocs('setup', 'running', 1), 40, 'it runs', [peer])[0]
    said = ['I came by tar', 'T says hello', hashlib.sha256(b'#!/bin/sh\necho "I came by tar"\n').hexdigest(),
            'tmpfs' if os.geteuid() == 0 else '', '700']

    def all_said():
        lines = peer.gctl('alloc', 'logs', alloc['ID'][:8]).splitlines()
        return lines if len(lines) == len(said) else None
    lines = wait_until(all_said, 20, 'the task has spoken', [peer])
    check(all(want in line for want, line in zip(said, lines)), f'the task said {lines}')
    check_says(peer.gctl('alloc', 'status', alloc['ID'][:8]), 'Downloading Artifacts')
    if os.geteuid() == 0:
        check(alloc['ID'] in mounts(), 'the secrets are mounted')
    peer.gctl('job', 'stop', 'setup')
    wait_until(lambda: alloc['ID'] not in mounts(), 30, 'the mount is gone', [peer])


def fails(name, extra, *words):
    """The job's task fails to be set up, and its events say these words."""
    peer = dev()
    peer.run_job(job(name, 'echo ran', type='batch', task_extra=extra + NO_SECOND_TRY, job_extra=NO_OTHER_PLACE),
                 expect=(0, 1))
    failed = wait_until(lambda: peer.all_allocs(name, 'failed', 1), 40, f'{name} failed', [peer])[0]
    check_says(peer.gctl('alloc', 'status', failed['ID'][:8]), *words)
    return failed


def test_bad_artifacts_are_told():
    """An artifact that is missing, wrong or evil fails its task with an event that says why, and leaves nothing."""
    def artifact(path, options=''):
        return f'artifact {{\n source = "{url(path)}"\n {options}\n }}\n'
    fails('missing', artifact('/none'), 'Failed Artifact Download', 'the server answered 404')
    fails('wrong', artifact('/good.tar.gz', 'options {\n checksum = "md5:00000000000000000000000000000000"\n }'),
          'Failed Artifact Download', 'the checksum is wrong')
    evil = fails('evil', artifact('/evil.tar.gz'), 'Failed Artifact Download', r'\.\./\.\./evil')
    for folder, _, names in os.walk(dev().directory):
        check('evil' not in names, f'{folder}/evil was written')
        if evil['ID'] in folder:
            check('run' not in names, f'half of the archive is in {folder}')
    fails('template', 'template {\n destination = "local/x"\n data = "{{ parseInt \\"x\\" }}"\n }\n', 'Setup Failure',
          'template local/x: line 1')


def test_slow_artifact_ends_with_its_job():
    """A server that never finishes holds nobody up: other tasks start, and the job can be stopped."""
    peer = dev()
    peer.run_job(job('slow', 'echo ran', task_extra=f'artifact {{\n source = "{url("/slow")}"\n }}'), '--detach')
    wait_until(fetchers, 40, 'a download is under way', [peer])
    peer.run_job(job('quick', 'echo ran', type='batch', task_extra='template {\n destination = "local/x"\n data = "x"\n }'))
    wait_until(lambda: peer.all_allocs('quick', 'complete', 1), 40, 'another task was set up', [peer])
    peer.gctl('job', 'stop', '--detach', 'slow')
    wait_until(lambda: not fetchers(), 30, 'the download was ended', [peer])
    wait_until(lambda: all(a['ClientStatus'] in ('complete', 'failed') for a in peer.allocs('slow')), 30,
               'its allocation is over', [peer])


def test_changed_file_runs_a_script():
    """A template that reads a file is rendered when that changes, and its script runs inside the task."""
    peer = dev()
    extra = '''
      template {
        destination = "local/in"
        once        = true
        data        = "one"
      }
      template {
        destination = "local/out"
        change_mode = "script"
        splay       = "0s"
        data        = "<{{ file \\"local/in\\" }}>"
        change_script {
          command = "/bin/sh"
          args    = ["-c", "cp ${NOMAD_TASK_DIR}/out ${NOMAD_TASK_DIR}/seen"]
        }
      }
    '''
    peer.run_job(job('script', 'exec sleep 1000', task_extra=extra))
    alloc = wait_until(lambda: peer.all_allocs('script', 'running', 1), 40, 'it runs', [peer])[0]
    local = os.path.join(peer.data_dir, 'alloc', alloc['ID'], 't', 'local')
    with open(os.path.join(local, 'in'), 'w') as file:
        file.write('two')

    def seen():
        with contextlib.suppress(FileNotFoundError), open(os.path.join(local, 'seen')) as file:
            return file.read() == '<two>'
    wait_until(seen, 30, 'the script saw the new text', [peer])
    check(len(peer.pids_of_job('script')) == 1, 'the task runs on')
    peer.gctl('job', 'stop', 'script')


def test_dispatch_payload_is_a_file():
    """The payload of a dispatched job is a file in the task's directory."""
    peer = dev()
    extra = 'dispatch_payload {\n file = "in/payload.json"\n }\n'
    peer.run_job(job('eats', 'cat "$NOMAD_TASK_DIR/in/payload.json"', type='batch', task_extra=extra,
                     job_extra='parameterized {\n payload = "required"\n }'), '--detach')
    payload = os.path.join(peer.directory, 'payload')
    with open(payload, 'w') as file:
        file.write('{"n": 7}\n')
    child = peer.ask('job', 'dispatch', '--detach', 'eats', payload)['DispatchedJobID']
    done = wait_until(lambda: peer.all_allocs(child, 'complete', 1), 40, 'it has eaten', [peer])[0]
    check(peer.gctl('alloc', 'logs', done['ID'][:8]) == '{"n": 7}\n', 'the task has read its payload')


def test_template_follows_a_service():
    """examples/follow.nomad: a template follows a service's instances, also after the agent was killed."""
    peer = dev()
    path = os.path.join(ROOT, 'examples', 'follow.nomad')

    def listed(count):
        """The newest list that the task has printed has so many servers."""
        alloc = next(a for a in peer.allocs('follow') if a['TaskGroup'] == 'list')
        said = peer.gctl('alloc', 'logs', alloc['ID'][:8])
        newest = said[said.rfind('servers:'):].splitlines()
        return newest[:1] == [f'servers: {count}'] and len(newest) == count + 1
    with contextlib.ExitStack() as after:
        peer.gctl('job', 'run', path)
        after.callback(peer.gctl, 'job', 'stop', 'follow')
        wait_until(lambda: listed(2), 60, 'two servers are listed', [peer])
        peer.gctl('job', 'run', '-var', 'instances=3', path)
        wait_until(lambda: listed(3), 60, 'the third one is listed', [peer])
        before = peer.pids_of_job('follow')
        peer.kill()
        peer.start('--dev', '--bind', peer.address, '--name', peer.name)
        peer.gctl('job', 'run', '-var', 'instances=1', path)
        wait_until(lambda: listed(1), 60, 'one is left', [peer])
        check(set(peer.pids_of_job('follow')) <= set(before), 'nothing was started anew')
