"""Groups with a network of their own: bridge, none, dns and hostname, on a machine that is a network namespace itself.

The peer, its bridge, its firewall's rules and its namespaces exist only there: nothing of this machine is touched.
"""
import os
import shutil
import stat
import subprocess

import processes
from harness import ROOT, Cluster, Peer, Skip, check, check_says, lazily, wait_until
from jobs import DISK, SLEEP, job

ADDRESS = '10.77.0.1'
SET_UP = f'''
ip link set lo up && ip link add lan0 type veth peer name lan1 && ip address add {ADDRESS}/24 dev lan0 &&
ip link set lan0 up && ip link set lan1 up &&
mkdir -p /run/gaggle /run/netns && mount -t tmpfs -o mode=0700 gaggle-e2e /run/gaggle &&
mount -t tmpfs gaggle-e2e /run/netns && mount -t tmpfs gaggle-e2e "$0" && echo ready && exec sleep infinity
'''


class OwnNetwork(Peer):
    """A peer on a machine of its own, as far as networks go; a process that sleeps holds its namespaces open."""

    def __init__(self, name, directory):
        super().__init__(name, ADDRESS, directory)
        self.http_address = '127.0.0.1'
        os.mkdir(self.data_dir, 0o700)
        self.holder = subprocess.Popen(['unshare', '--net', '--mount', 'sh', '-c', SET_UP, self.data_dir],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.expected.add(self.holder.pid)
        if self.holder.stdout.readline() != 'ready\n':
            raise Skip(f'no network and mounts of its own: {self.holder.stderr.read()}')
        self.mounts = os.readlink(f'/proc/{self.holder.pid}/ns/mnt')
        self.prefix = ['nsenter', '-t', str(self.holder.pid), '-m', '-n', '--']

    def owns(self, pid):
        try:
            return super().owns(pid) or (pid != self.holder.pid and
                                         os.readlink(f'/proc/{pid}/ns/mnt') == self.mounts)
        except OSError:
            return False

    def leave(self):
        self.holder.kill()
        self.holder.wait()

    def on_machine(self, *command, must=True):
        """What a command says that is run on this machine."""
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, timeout=30)
        if must:
            check(done.returncode == 0, f'{command}: {done.stdout}{done.stderr}')
        return done.stdout

    def fetch(self, port):
        return self.on_machine('timeout', '3', 'busybox', 'wget', '-q', '-O', '-', f'http://{ADDRESS}:{port}/', must=False)

    def traces(self):
        """Everything that an allocation's network may leave behind; the bridge and its empty chains stay for others."""
        rules = [line for line in self.on_machine('iptables-save').splitlines() if line.startswith('-A')]
        links = [line.split()[1] for line in self.on_machine('ip', '-o', 'link').splitlines()]
        addresses = self.on_machine('sh', '-c', 'ls /run/gaggle/cni/gaggle 2>/dev/null', must=False).split()
        mounts = [line for line in self.on_machine('cat', '/proc/self/mountinfo').splitlines()
                  if '/run/netns/' in line or self.data_dir + '/' in line]
        return {'rules': [rule for rule in rules if 'GAGGLE-ADMIN' not in rule and 'CNI-HOSTPORT-' not in rule.split()[1]
                          and not rule.endswith(('-j CNI-FORWARD', '-j CNI-HOSTPORT-DNAT', '-j CNI-HOSTPORT-MASQ'))]
                + [rule for rule in rules if 'dnat name' in rule],
                'links': [link for link in links if link.startswith('veth')],
                'addresses': [name for name in addresses if name[0].isdigit()],
                'namespaces': self.on_machine('ls', '/run/netns').split(), 'mounts': mounts}

    def clean(self):
        return not any(self.traces().values())


class OneMachine(Cluster):
    def __init__(self):
        needed = ('iptables', 'ip', 'unshare', 'nsenter', 'busybox')
        missing = [tool for tool in needed if not shutil.which(tool)]
        if os.geteuid() != 0 or missing or not os.path.exists('/usr/lib/cni/bridge'):
            raise Skip('needs root, containernetworking-plugins, iptables, iproute2, busybox-static: ' + ' '.join(missing))
        super().__init__(0)
        self.peers.append(OwnNetwork('a', self.directory))
        try:
            self.found()
            self.wait_voters(1)
        except BaseException:
            self.close()
            raise

    def close(self):
        super().close()
        self.peers[0].leave()


machine = lazily(OneMachine)


def close():
    machine.close()


def network(text):
    return f'network {{\n{text}\n}}\n' + DISK


def run_example(peer):
    with open(os.path.join(ROOT, 'examples', 'bridge.nomad')) as file:
        peer.run_job(file.read())
    return wait_until(lambda: peer.all_allocs('bridge', 'running', 1), 60, 'it runs', [peer])[0]


def port_of(peer, alloc):
    return peer.alloc(alloc['ID'])['AllocatedResources']['Shared']['Ports'][0]['Value']


def stopped_clean(peer, name):
    peer.gctl('job', 'stop', name)
    wait_until(lambda: not peer.pids_of_job(name), 30, 'its processes end', [peer])
    wait_until(peer.clean, 30, 'nothing of its network is left', [peer])


def test_bridge_example():
    """examples/bridge.nomad: its tasks talk over localhost, its port is reached, an agent's restart and kill keep it."""
    peer = machine()[0]
    check(peer.node()['Attributes']['gaggle.network.bridge'] == '1', 'the peer offers it')
    alloc = run_example(peer)
    port = port_of(peer, alloc)
    wait_until(lambda: peer.fetch(port) == 'hello from web-0\n', 30, 'the port is mapped', [peer])
    wait_until(lambda: 'hello from web-0\n' in peer.gctl('alloc', 'logs', alloc['ID'], 'client'), 30,
               'the tasks talk over localhost', [peer])
    shown = peer.alloc(alloc['ID'])
    status = shown['NetworkStatus']
    check(status['InterfaceName'] == 'eth0' and status['Address'].startswith('172.26.64.'), f'it is told: {status}')
    check(shown['AllocatedResources']['Shared']['Networks'][0]['Mode'] == 'bridge', 'the mode is told')
    pids = peer.steady_pids()
    for end in (peer.stop, peer.kill):
        end()
        check(peer.fetch(port) == 'hello from web-0\n', 'it is served without an agent')
        peer.start()
        check(peer.steady_pids() == pids, 'nothing was restarted')
        check(peer.fetch(port) == 'hello from web-0\n', 'and goes on being served')
    stopped_clean(peer, 'bridge')


def test_network_is_made_anew():
    """What a boot takes with it is set up again before the tasks start: namespace, bridge, rules, addresses."""
    peer = machine()[0]
    alloc = run_example(peer)
    port = port_of(peer, alloc)
    wait_until(lambda: peer.fetch(port) == 'hello from web-0\n', 30, 'the port is mapped', [peer])
    peer.crash()
    peer.on_machine('sh', '-c', f'umount /run/netns/* {peer.data_dir}/alloc/*/*/secrets; '
                                'rm -rf /run/netns/* /run/gaggle/cni; ip link delete gaggle; '
                                'iptables -F; iptables -X; iptables -t nat -F; iptables -t nat -X')
    wait_until(lambda: peer.clean() and not peer.fetch(port), 20, 'nothing of it is left', [peer])
    peer.start()
    wait_until(lambda: peer.fetch(port) == 'hello from web-0\n', 60, 'it is served again', [peer])
    stopped_clean(peer, 'bridge')


def test_none_and_names():
    """Mode none is loopback alone; dns and hostname are seen inside, in every mode, and nowhere else."""
    peer = machine()[0]
    look = 'hostname; cat /etc/hosts /etc/resolv.conf; ip -o link | cut -d: -f2 | tr -d "\\n"; ' + SLEEP
    names = 'hostname = "inside"\n dns {\n servers = ["10.0.0.53"]\n searches = ["lan"]\n options = ["ndots:2"]\n }'
    said = {}
    for mode in ('none', 'bridge', 'host'):
        peer.run_job(job('names-' + mode, look, group_extra=network(f'mode = "{mode}"\n{names}')))
        alloc = wait_until(lambda: peer.all_allocs('names-' + mode, 'running', 1), 60, 'it runs', [peer])[0]
        said[mode] = wait_until(lambda: 'lo' in peer.gctl('alloc', 'logs', alloc['ID']) and
                                peer.gctl('alloc', 'logs', alloc['ID']), 20, 'it has looked', [peer])
        check(said[mode].startswith('inside\n'), f'its host name: {said[mode]}')
        check_says(said[mode], r'\d inside\n', 'nameserver 10.0.0.53\n', 'search lan\n', 'options ndots:2\n')
    check(said['none'].rsplit('\n', 1)[1].split() == ['lo'], f'nothing but loopback: {said["none"]}')
    check('eth0' in said['bridge'] and '172.26.64.' in said['bridge'], f'an interface and its address: {said["bridge"]}')
    check('lan0' in said['host'], f'the machine\'s own interfaces: {said["host"]}')
    check('inside' not in peer.on_machine('cat', '/etc/hosts') + peer.on_machine('hostname'), 'the machine has its own')
    for mode in said:
        peer.gctl('job', 'stop', 'names-' + mode)
    wait_until(peer.clean, 40, 'nothing is left', [peer])


def fake_plugins(peer, bridge):
    """A folder of Debian's plugins in which `bridge` is this shell script."""
    folder = os.path.join(peer.directory, f'plugins-{len(os.listdir(peer.directory))}')
    shutil.copytree('/usr/lib/cni', folder)
    path = os.path.join(folder, 'bridge')
    with open(path, 'w') as file:
        file.write('#!/bin/sh\n' + bridge)
    os.chmod(path, stat.S_IRWXU)
    return folder


def restarted(peer, *options):
    peer.stop()
    peer.start(*options)


def test_failing_plugin():
    """A plugin that fails is told with its own words, the allocation fails for good, and nothing is left behind."""
    peer = machine()[0]
    says = 'echo \'{"cniVersion":"0.4.0","code":11,"msg":"no cable"}\'; exit 1\n'
    restarted(peer, '--cni-path', fake_plugins(peer, f'[ "$CNI_COMMAND" = ADD ] && {{ {says} }}; exec /usr/lib/cni/bridge'))
    never = 'reschedule {\n attempts = 0\n unlimited = false\n }'
    peer.run_job(job('torn', SLEEP, group_extra=network('mode = "bridge"') + '\n' + never), expect=(0, 1))
    failed = wait_until(lambda: peer.all_allocs('torn', 'failed', 1), 60, 'it failed', [peer])[0]
    check_says(peer.gctl('alloc', 'status', failed['ID']), 'Setup Failure', r'bridge \(ADD\)', r'no cable \(code 11\)')
    wait_until(peer.clean, 20, 'nothing is left', [peer])
    peer.gctl('job', 'stop', 'torn')


def test_missing_plugin():
    """Without the plugins a peer offers no bridge, and says to whoever wants one what is missing and where."""
    peer = machine()[0]
    restarted(peer, '--cni-path', '/nowhere')
    answer = peer.plan_job(job('homeless', SLEEP, group_extra=network('mode = "bridge"')))
    check_says(answer.stdout + answer.stderr, 'missing network bridge', 'containernetworking-plugins')
    peer.run_job(job('alone', SLEEP, group_extra=network('mode = "none"')))
    wait_until(lambda: peer.all_allocs('alone', 'running', 1), 40, 'mode none needs no plugin', [peer])
    stopped_clean(peer, 'alone')
    restarted(peer)
