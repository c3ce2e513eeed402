"""Ports that Docker publishes from its own bridge: a docker task in a group of the machine's network."""
import json
import os

import engine
from harness import ROOT, check, lazily, wait_until
from own_network import ADDRESS, OneMachine

PAGE = 'hello from a container\n'
BRIDGE = '172.31.77.1/24'


def make_machine():
    """One peer whose engine has a bridge and rules of its own, in the peer's network."""
    made = OneMachine()
    try:
        peer = made[0]
        peer.docker = engine.Docker(peer.prefix, BRIDGE)
        path = os.path.join(peer.docker.directory, 'web.tar')
        engine.archive(path, 'gaggle-web:1', [('www/index.html', PAGE)])
        peer.docker.load(path)
        peer.stop()
        peer.start('--docker-socket', peer.docker.socket)
        wait_until(lambda: peer.node()['Drivers']['docker']['Healthy'], 40, 'driver docker is well', [peer])
        return made
    except BaseException:
        made.close()
        raise


machine = lazily(make_machine)


def close():
    if machine.made:
        machine()[0].docker.close()
    machine.close()


def ports_of(peer, alloc):
    return {port['Label']: port['Value'] for port in peer.alloc(alloc['ID'])['AllocatedResources']['Shared']['Ports']}


def ended(peer, name):
    peer.gctl('job', 'stop', name)
    wait_until(lambda: not peer.docker.containers(), 30, 'the container is gone', [peer])


def test_example_in_dockers_bridge():
    """examples/web-docker.nomad as it is: the group's port leads into the container, and its check passes."""
    peer = machine()[0]
    peer.gctl('job', 'run', os.path.join(ROOT, 'examples', 'web-docker.nomad'))
    alloc = wait_until(lambda: peer.all_allocs('web', 'running', 1), 60, 'it runs', [peer])[0]
    port = ports_of(peer, alloc)['http']
    wait_until(lambda: peer.fetch(port) == PAGE, 30, f'the page is at port {port}', [peer])
    wait_until(lambda: 'passing' in peer.gctl('service', 'info', 'docker-web'), 30, 'its check passes', [peer])
    ended(peer, 'web')
    check(peer.fetch(port) == '', 'nothing is published any more')


MAPPED = '''
job "mapped" {
  group "g" {
    network {
      port "http" {
        to = 8080
      }
      port "map" {}
      port "kept" {
        to = 8080
      }
    }
    ephemeral_disk {
      size = 20
    }
    task "t" {
      driver = "docker"
      config {
        image   = "gaggle-web:1"
        command = "httpd"
        args    = ["-f", "-p", "8080", "-h", "/www"]
        ports   = ["http"]
        port_map {
          map = 8080
        }
      }
      logs {
        max_files     = 1
        max_file_size = 2
      }
      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
'''


def test_only_what_is_named_is_published():
    """`ports` and `port_map` publish at the peer's address alone; a port that neither names leads nowhere."""
    peer = machine()[0]
    peer.run_job(MAPPED)
    alloc = wait_until(lambda: peer.all_allocs('mapped', 'running', 1), 60, 'it runs', [peer])[0]
    port = ports_of(peer, alloc)
    for label in ('http', 'map'):
        wait_until(lambda: peer.fetch(port[label]) == PAGE, 30, f'port {label} is published', [peer])
        here = peer.on_machine('timeout', '3', 'busybox', 'wget', '-q', '-O', '-', f'http://127.0.0.1:{port[label]}/',
                               must=False)
        check(here == '', f'port {label} is published at {ADDRESS} and nowhere else')
    check(peer.fetch(port['kept']) == '', 'a port that is not named is not published')
    container = json.loads(peer.docker.ask('GET', f'/containers/t-{alloc["ID"]}/json'))
    told = container['NetworkSettings']
    check(told['IPAddress'].startswith('172.31.77.'), f'its address is of the engine\'s bridge: {told["IPAddress"]}')
    peer.kill()
    check(peer.fetch(port['http']) == PAGE, 'it is served without an agent')
    peer.start('--docker-socket', peer.docker.socket)
    check(peer.fetch(port['http']) == PAGE, 'and with the next')
    ended(peer, 'mapped')
