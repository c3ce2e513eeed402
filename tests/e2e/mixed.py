"""A group in a bridge with a web server in a container and a task under driver exec that asks it over localhost."""
from harness import check, check_says, wait_until

MIXED = '''
job "mixed" {
  group "g" {
    network {
      mode     = "bridge"
      hostname = "together"
      port "http" {
        to = 8080
      }
      dns {
        servers = ["10.0.0.53"]
      }
    }
    ephemeral_disk {
      size = 20
    }
    restart {
      attempts = 5
      delay    = "1s"
    }
    task "web" {
      driver = "docker"
      config {
        image       = "gaggle-web:1"
        command     = "httpd"
        args        = ["-f", "-p", "8080", "-h", "/www"]
        ports       = ["http"]
        extra_hosts = ["db:10.0.0.7"]
      }
      logs {
        max_files     = 1
        max_file_size = 2
      }
      resources {
        cpu    = 50
        memory = 16
      }
    }
    task "client" {
      driver = "exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "while :; do busybox wget -q -O - http://127.0.0.1:8080/; sleep 1; done"]
      }
      logs {
        max_files     = 1
        max_file_size = 2
      }
      resources {
        cpu    = 50
        memory = 16
      }
    }
  }
}
'''


def port_of(peer, alloc):
    return peer.alloc(alloc['ID'])['AllocatedResources']['Shared']['Ports'][0]['Value']


def names_of(docker):
    return sorted(container['Names'][0] for container in docker.containers())


def check_mixed(peer, docker, names):
    """The allocation, once its tasks reach each other; `names` are the engine's containers, {} the allocation's id."""
    peer.run_job(MIXED)
    alloc = wait_until(lambda: peer.all_allocs('mixed', 'running', 1), 60, 'it runs', [peer])[0]
    page, port = 'hello from a container\n', port_of(peer, alloc)
    wait_until(lambda: peer.fetch(port) == page, 30, 'the port leads into the container', [peer])
    wait_until(lambda: page in peer.gctl('alloc', 'logs', alloc['ID'], 'client'), 30,
               'the task under exec reaches the container at 127.0.0.1', [peer])
    wanted = [name.format(alloc['ID']) for name in names]
    check(names_of(docker) == wanted, f'the containers are {names_of(docker)}, not {wanted}')
    for task, shell in (('web', 'sh'), ('client', '/bin/sh')):
        said = peer.gctl('alloc', 'exec', '-t=false', '-task', task, alloc['ID'], shell, '-c',
                         'hostname; cat /etc/hosts /etc/resolv.conf')
        check_says(said, r'^together\n', r'172\.26\.64\.\d+ together\n', 'nameserver 10.0.0.53\n')
        check(('10.0.0.7 db\n' in said) == (task == 'web'), f'extra_hosts are the container\'s alone: {said}')
    return alloc, port, page
