"""Groups with a network of their own: bridge, none, dns and hostname."""
import os
import shutil
import stat

import engine
from harness import ROOT, check, check_says, lazily, wait_until
from jobs import DISK, SLEEP, job
from mixed import check_mixed, names_of, port_of
from own_network import OneMachine

machine = lazily(OneMachine)


def close():
    machine.close()


def network(text):
    return f'network {{\n{text}\n}}\n' + DISK


def run_example(peer):
    with open(os.path.join(ROOT, 'examples', 'bridge.nomad')) as file:
        peer.run_job(file.read())
    return wait_until(lambda: peer.all_allocs('bridge', 'running', 1), 60, 'it runs', [peer])[0]


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


def with_engine(peer):
    """An engine on the peer's machine, with the image of the examples; the agent uses it from now on."""
    docker = engine.Docker(peer.prefix)
    path = os.path.join(docker.directory, 'web.tar')
    engine.archive(path, 'gaggle-web:1', [('www/index.html', 'hello from a container\n')])
    docker.load(path)
    restarted(peer, '--docker-socket', docker.socket)
    wait_until(lambda: peer.node()['Drivers']['docker']['Healthy'], 40, 'driver docker is well', [peer])
    return docker


def test_docker_in_bridge():
    """A docker task in a bridge group: one namespace with a task under exec, through agents' and the engine's restarts."""
    peer = machine()[0]
    docker = with_engine(peer)
    try:
        alloc, port, page = check_mixed(peer, docker, ['/pause_{}', '/web-{}'])
        before = docker.containers()
        peer.kill()
        peer.start('--docker-socket', docker.socket)
        docker.stop()
        check(peer.fetch(port) == page, 'it is served without its engine')
        docker.start()
        check([c['Id'] for c in docker.containers()] == [c['Id'] for c in before], 'the containers have stayed')
        docker.ask('DELETE', f'/containers/pause_{alloc["ID"]}?force=1')
        check(peer.fetch(port) == page, 'who has joined is where he was')
        peer.gctl('alloc', 'restart', alloc['ID'], 'web')
        wait_until(lambda: peer.fetch(port) == page and len(names_of(docker)) == 2, 30, 'it is there anew', [peer])
        peer.gctl('job', 'stop', 'mixed')
        wait_until(lambda: not names_of(docker), 30, 'no container is left', [peer])
        wait_until(peer.clean, 30, 'nothing of its network is left', [peer])
    finally:
        restarted(peer)
        docker.close()


def test_exec_in_bridge():
    """A task under driver exec is in its bridge: its address, its name, its mapped port, and nothing of the machine's."""
    peer = machine()[0]
    serve = 'hostname > /local/index.html; exec busybox httpd -f -p 8080 -h /local'
    group = network('mode = "bridge"\n hostname = "inside"\n port "http" {\n to = 8080\n }')
    peer.run_job(job('jailed', serve, group_extra=group).replace('"raw_exec"', '"exec"'))
    alloc = wait_until(lambda: peer.all_allocs('jailed', 'running', 1), 60, 'it runs', [peer])[0]
    port = port_of(peer, alloc)
    wait_until(lambda: peer.fetch(port) == 'inside\n', 30, 'the port is mapped', [peer])
    said = peer.gctl('alloc', 'exec', '-t=false', alloc['ID'], '/bin/sh', '-c', 'ip -o link; cat /etc/hosts')
    check('eth0' in said and 'lan0' not in said, f'its own interfaces: {said}')
    check_says(said, r'172\.26\.64\.\d+ inside\n')
    stopped_clean(peer, 'jailed')


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
