"""Driver docker by Podman's socket: the same tasks, in the machine's network and in a bridge."""
import os

import engine
from harness import check, check_says, lazily, wait_until
from mixed import check_mixed, names_of
from own_network import OneMachine

machine = lazily(OneMachine)


def make_podman():
    peer = machine()[0]
    made = engine.Podman(peer.prefix)
    path = os.path.join(made.directory, 'web.tar')
    engine.archive(path, 'gaggle-web:1', [('www/index.html', 'hello from a container\n')])
    made.load(path)
    peer.stop()
    peer.start('--docker-socket', made.socket)
    wait_until(lambda: peer.node()['Drivers']['docker']['Healthy'], 40, 'driver docker is well', [peer])
    return made


podman = lazily(make_podman)


def close():
    podman.close()
    machine.close()


ALONE = '''
job "alone" {
  type = "batch"
  group "g" {
    ephemeral_disk {
      size = 20
    }
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    task "t" {
      driver = "docker"
      config {
        image        = "gaggle-web:1"
        network_mode = "none"
        command      = "sh"
        args         = ["-c", "echo $FROM_IMAGE $NOMAD_TASK_DIR; echo bad >&2; exit 3"]
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


def test_container():
    """A container's output, environment and exit code are told, and nothing of it is left."""
    made, peer = podman(), machine()[0]
    check(peer.node()['Attributes']['driver.docker.engine'] == 'podman', 'the peer says what engine it has')
    peer.run_job(ALONE, expect=(0, 1))
    failed = wait_until(lambda: peer.all_allocs('alone', 'failed', 1), 60, 'it fails', [peer])[0]
    check(peer.gctl('alloc', 'logs', failed['ID']) == 'yes /local\n', "the image's and the task's environment")
    check(peer.gctl('alloc', 'logs', '-stderr', failed['ID']) == 'bad\n', 'the streams are kept apart')
    check_says(peer.gctl('alloc', 'status', failed['ID']), r'Exit Code: 3')
    wait_until(lambda: not names_of(made), 30, 'the container is gone', [peer])


def test_bridge():
    """Its containers join the allocation's network by the path: no other container is needed, and an agent may go."""
    made, peer = podman(), machine()[0]
    _, port, page = check_mixed(peer, made, ['/web-{}'])
    before = [c['Id'] for c in made.containers()]
    peer.kill()
    peer.start('--docker-socket', made.socket)
    check(peer.fetch(port) == page, 'it is served all the time')
    check([c['Id'] for c in made.containers()] == before, 'by the same container')
    peer.gctl('job', 'stop', 'mixed')
    wait_until(lambda: not names_of(made), 30, 'no container is left', [peer])
    wait_until(peer.clean, 30, 'nothing of its network is left', [peer])
