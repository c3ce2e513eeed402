"""Container engines for the tests: dockerd and Podman of Debian, started by hand, with images made of busybox-static.

No registry is asked: an image is an archive as `docker save` writes it, put together here.
"""
import hashlib
import http.client
import io
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile

import processes
from waiting import PATIENCE, Failed, Skip, wait_until

BUSYBOX = '/bin/busybox'
APPLETS = ('sh', 'httpd', 'sleep', 'echo', 'cat', 'id', 'ls', 'seq', 'true', 'kill', 'wget', 'hostname', 'stty', 'test', 'env', 'ps')


def archive(path, name, files=(), command=('/bin/sh',)):
    """An image NAME of one layer at PATH, as `docker load` takes it: busybox, and files as (path, text)."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode='w') as tar:
        tar.add(BUSYBOX, 'bin/busybox')
        for applet in APPLETS:
            link = tarfile.TarInfo('bin/' + applet)
            link.type, link.linkname = tarfile.SYMTYPE, 'busybox'
            tar.addfile(link)
        for folder in ('tmp', 'etc', 'root'):
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, 0o1777 if folder == 'tmp' else 0o755
            tar.addfile(made)
        for file, text in (('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000:web:/tmp:/bin/sh\n'), *files):
            entry = tarfile.TarInfo(file.lstrip('/'))
            entry.size, entry.mode = len(text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    layer = layer.getvalue()
    config = json.dumps({'architecture': 'amd64', 'os': 'linux',
                         'config': {'Cmd': list(command), 'Env': ['PATH=/bin', 'FROM_IMAGE=yes']},
                         'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}}).encode()
    manifest = json.dumps([{'Config': 'config.json', 'RepoTags': [name], 'Layers': ['layer.tar']}]).encode()
    with tarfile.open(path, 'w') as tar:
        for file, content in (('manifest.json', manifest), ('config.json', config), ('layer.tar', layer)):
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('engine')
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30 * PATIENCE)
        self.sock.connect(self.path)


class Engine:
    """An engine with directories of its own, PROGRAM from PACKAGE. `prefix` puts it into another network and its mounts."""

    def __init__(self, program, package, prefix):
        self.prefix = list(prefix)
        self.program = program
        if not shutil.which(program):
            raise Skip(f'no {program} here: install {package} (tests/install-packages)')
        if os.geteuid() != 0:
            raise Skip(f'{program} needs root')
        self.directory = tempfile.mkdtemp(prefix='gaggle-engine-')
        self.socket = os.path.join(self.directory, 'engine.sock')
        self.log_path = os.path.join(self.directory, 'log')
        self.process = None
        self.start()

    def start(self):
        with open(self.log_path, 'a') as log:
            self.process = subprocess.Popen([*self.prefix, self.program, *self.options()], stdout=log, stderr=log,
                                            env={**os.environ, **self.variables()}, start_new_session=True)
        processes.expected.add(self.process.pid)

        def answers():
            if self.process.poll() is not None:
                raise Skip(f'{self.program} does not run here:\n' + self.log_text()[-1500:])
            return self.try_ask('GET', '/version')
        wait_until(answers, 60, f'{self.program} answers')

    def variables(self):
        return {}

    def log_text(self):
        with open(self.log_path) as log:
            return log.read()

    def ask(self, method, target, body=None, kind='application/json'):
        connection = Connection(self.socket)
        try:
            connection.request(method, target, body, {'Content-Type': kind})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise Failed(f'{method} {target}: {answer.status} {text[:300]}')
        return text

    def try_ask(self, method, target):
        try:
            return self.ask(method, target)
        except (OSError, Failed):
            return None

    def load(self, path):
        with open(path, 'rb') as file:
            self.ask('POST', '/images/load', file.read(), 'application/x-tar')

    def containers(self):
        return json.loads(self.ask('GET', '/containers/json?all=1'))

    def images(self):
        return sorted(tag for image in json.loads(self.ask('GET', '/images/json')) for tag in image['RepoTags'] or ())

    def stop(self):
        """SIGTERM to the engine; with live-restore its containers run on."""
        self.process.terminate()
        self.process.wait(60 * PATIENCE)

    def close(self):
        if self.process.poll() is None:
            for container in self.containers():
                self.try_ask('DELETE', f'/containers/{container["Id"]}?force=1')
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60 * PATIENCE)
        with open('/proc/self/mounts') as mounts:  # dockerd leaves some behind
            below = [line.split()[1] for line in mounts if line.split()[1].startswith(self.directory + '/')]
        for place in reversed(below):
            subprocess.run(['umount', '--lazy', place], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


class Docker(Engine):
    """dockerd without a bridge; or with one, `bridge` its address, in a network that the prefix enters."""

    def __init__(self, prefix=(), bridge=None):
        self.network = ['--bip', bridge] if bridge else ['--bridge=none', '--iptables=false']
        super().__init__('dockerd', 'docker.io', prefix)

    def options(self):
        return ['--data-root', self.directory + '/root', '--exec-root', self.directory + '/exec',
                '--pidfile', self.directory + '/pid', '-H', 'unix://' + self.socket,
                *self.network, '--live-restore']


# Where this machine is a container itself, Podman may not raise the limits as high as it wants to.
PODMAN = '''
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
'''


class Podman(Engine):
    """Podman's API service, with runc and without systemd."""

    def __init__(self, prefix=()):
        super().__init__('podman', 'podman', prefix)
        path = os.path.join(self.directory, 'probe.tar')
        archive(path, 'gaggle-probe:1')
        self.load(path)
        try:
            made = json.loads(self.ask('POST', '/containers/create', json.dumps(
                {'Image': 'gaggle-probe:1', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none'}})))
            self.ask('POST', f'/containers/{made["Id"]}/start')
            self.ask('DELETE', f'/containers/{made["Id"]}?force=1')
        except Failed as failure:
            self.close()
            raise Skip(f'podman starts no container here: {failure}') from None

    def options(self):
        return ['--root', self.directory + '/root', '--runroot', self.directory + '/run', '--storage-driver', 'vfs',
                'system', 'service', '--time', '0', 'unix://' + self.socket]

    def variables(self):
        path = os.path.join(self.directory, 'containers.conf')
        limits = {name: min(resource.getrlimit(limit)[1], most) for name, limit, most in (
            ('files', resource.RLIMIT_NOFILE, 1 << 20), ('processes', resource.RLIMIT_NPROC, 32768))}
        with open(path, 'w') as file:
            file.write(PODMAN.format(**limits))
        return {'CONTAINERS_CONF': path}
