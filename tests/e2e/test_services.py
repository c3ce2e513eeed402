"""Services: the catalogue, DNS, and a real HAProxy that follows the instances of a job over three peers."""
import contextlib
import os
import shutil
import signal
import socket
import struct
import threading
import urllib.request

from harness import ROOT, Cluster, Skip, check, check_says, lazily, wait_until
from jobs import SLEEP, job

DNS_PORT = 4653

region = lazily(lambda: Cluster(3).form())


def close():
    region.close()


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f'{program} is missing')


def run_text(peer, text, name):
    path = f'{peer.directory}/{name}.nomad'
    with open(path, 'w') as file:
        file.write(text)
    return peer.gctl('job', 'run', path)


def run_site(peer, count=3):
    """The example as it stands, but for its count."""
    with open(f'{ROOT}/examples/haproxy.nomad') as file:
        text = file.read()
    check('count = 3' in text, 'the example has three web servers')
    return run_text(peer, text.replace('count = 3', f'count = {count}'), 'site')


def instances(peer, service):
    return peer.ask('service', 'info', service)


def passing(peer, service):
    return [one for one in instances(peer, service) if one['Health'] == 'passing']


def dns(peer, name, kind):
    """(code, answers): the ports of SRV records or the addresses of A records."""
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
    question = labels + b'\0' + struct.pack('>HH', kind, 1)
    asked = struct.pack('>HHHHHH', 77, 0x0100, 1, 0, 0, 1) + question + b'\0' + struct.pack('>HHIH', 41, 8192, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(asked, (peer.address, DNS_PORT))
        answer = client.recv(65536)
    _, flags, _, count, _, _ = struct.unpack('>HHHHHH', answer[:12])
    at, found = 12 + len(question), []
    for _ in range(count):
        _, of, _, _, length = struct.unpack('>HHHIH', answer[at:at + 12])
        data = answer[at + 12:at + 12 + length]
        at += 12 + length
        if of == kind:
            found.append(struct.unpack('>H', data[4:6])[0] if kind == 33 else socket.inet_ntoa(data))
    return flags & 15, sorted(found)


SRV, A = 33, 1


def fetch(url):
    """The body, or nothing while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode().strip()
    except OSError:
        return None


def answering(url, tries=12):
    """Who answers, of so many requests in a row; None among them is a request that failed."""
    return {fetch(url) for _ in range(tries)}


def url_of(cluster, service):
    front, = instances(cluster[0], service)
    return f'http://{front["Address"]}:{front["Port"]}/'


def allocs_of(instances_):
    return {one['AllocID'] for one in instances_}


def site(cluster):
    """The example runs: three instances of "web" and a HAProxy that leads to all of them."""
    needs('haproxy', 'busybox')
    run_site(cluster[1])
    wait_until(lambda: len(passing(cluster[0], 'web')) == 3, 60, 'three instances pass their checks', cluster.peers)
    wait_until(lambda: len(instances(cluster[0], 'front')) == 1, 60, 'the balancer runs', cluster.peers)
    url = url_of(cluster, 'front')
    all_three = allocs_of(instances(cluster[0], 'web'))
    wait_until(lambda: answering(url) == all_three, 60, 'HAProxy leads to all three', cluster.peers)
    return url


def test_services_are_listed_by_every_peer():
    """HTTP, the command line and DNS tell the same instances on every peer, and Nomad's fields are there."""
    cluster = region()
    site(cluster)
    for peer in cluster:
        told = passing(peer, 'web')
        check(len(told) == 3, f'three instances at {peer.name}, not {told}')
        ports = sorted(one['Port'] for one in told)
        wait_until(lambda: dns(peer, '_web._tcp.service.gaggle', SRV) == (0, ports), 20,
                   f'DNS at {peer.name} tells them all', cluster.peers)
        addresses = sorted({one['Address'] for one in told})
        check(dns(peer, 'site.WEB.service.gaggle', A) == (0, addresses), 'and their addresses, by tag')
        check(dns(peer, 'nobody.service.gaggle', A) == (3, []), 'an unknown service does not exist')
        check(dns(peer, 'example.com', A) == (5, []), 'other zones are refused')
    one = passing(cluster[2], 'web')[0]
    alloc = cluster[0].ask('alloc', 'status', one['AllocID'])
    check(one['ID'] == f'_nomad-task-{one["AllocID"]}-group-web-web-http', f'Nomad\'s id, not {one["ID"]}')
    check(one['NodeID'] == alloc['NodeID'] and one['JobID'] == 'site', 'the allocation\'s node and job')
    for peer in cluster:
        results = peer.ask('alloc', 'checks', one['AllocID']).values()
        check([(r['Service'], r['Status']) for r in results] == [('web', 'success')], f'{peer.name} says what it checks: {results}')
    check_says(cluster[0].gctl('service', 'list'), 'web', '[site]')
    check_says(cluster[0].gctl('service', 'info', 'web'), one['AllocID'][:8], 'passing')
    none = cluster[0].gctl('service', 'info', 'web', '--filter', 'Tags contains "x"')
    check('No service registrations' in none, none)


def test_haproxy_follows_a_killed_and_a_scaled_service():
    """One instance is frozen, then one stopped by a smaller count: requests go to the living ones alone."""
    cluster = region()
    url = site(cluster)
    before = instances(cluster[0], 'web')
    victim = before[0]
    holder = next(p for p in cluster if p.address == victim['Address'])
    pid, = holder.pids_of_job('site', {victim['AllocID']})
    os.kill(pid, signal.SIGSTOP)
    living = allocs_of(before) - {victim['AllocID']}
    try:
        wait_until(lambda: allocs_of(passing(cluster[0], 'web')) == living, 40, 'its check fails', cluster.peers)
        wait_until(lambda: answering(url) == living, 40, 'HAProxy leads to the other two', cluster.peers)
        ports = sorted(one['Port'] for one in before if one['AllocID'] in living)
        wait_until(lambda: dns(cluster[1], 'web.service.gaggle', SRV)[1] == ports, 20, 'DNS has the other two',
                   cluster.peers)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: answering(url) == allocs_of(before), 40, 'and to all three again', cluster.peers)

    run_site(cluster[2], count=2)
    wait_until(lambda: len(instances(cluster[1], 'web')) == 2, 40, 'two are listed', cluster.peers)
    left = allocs_of(instances(cluster[1], 'web'))
    wait_until(lambda: answering(url) == left, 40, 'HAProxy leads to those two', cluster.peers)


EDGE = '''
job "edge" {
  group "edge" {
    network {
      port "edge" {}
    }

    service {
      name = "edge"
      port = "edge"
    }

    task "haproxy" {
      driver = "raw_exec"

      config {
        command = "haproxy"
        args    = ["-W", "-f", "local/haproxy.cfg"]
      }

      template {
        destination   = "local/haproxy.cfg"
        change_mode   = "signal"
        change_signal = "SIGUSR2"
        splay         = "0s"
        data          = <<-EOT
          defaults
            mode http
            timeout connect 2s
            timeout client 10s
            timeout server 10s
            option redispatch
          listen web
            bind {{ env "NOMAD_ADDR_edge" }}
            balance roundrobin
            {{- range nomadService "web" }}
            server {{ .AllocID }} {{ .Address }}:{{ .Port }}
            {{- end }}
        EOT
      }

      resources {
        cpu    = 50
        memory = 128
      }
    }
  }
}
'''


def test_haproxy_follows_by_a_template():
    """A configuration rendered from the catalogue: HAProxy is told to reload it when an instance goes or comes."""
    cluster = region()
    site(cluster)
    run_text(cluster[2], EDGE, 'edge')
    wait_until(lambda: len(instances(cluster[0], 'edge')) == 1, 60, 'it runs', cluster.peers)
    url = url_of(cluster, 'edge')
    for count in (2, 3):
        run_site(cluster[0], count)
        wait_until(lambda: len(passing(cluster[1], 'web')) == count, 60, f'{count} instances pass', cluster.peers)
        now = allocs_of(passing(cluster[1], 'web'))
        wait_until(lambda: answering(url) == now, 60, f'HAProxy leads to all {count}', cluster.peers)


@contextlib.contextmanager
def watched(look):
    """What `look` sees all the while, in order."""
    seen, over = [], threading.Event()

    def watch():
        while not over.wait(0.01):
            seen.append(look())
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


WATCHER = """
      template {
        destination = "local/web"
        data        = <<-EOT
        {{ range nomadService "web" }}{{ .Port }}
        {{ end }}
        EOT
      }
"""


def run_watcher(peer, elsewhere):
    """A task that is restarted when a template of the instances of "web" changes; not on the peer `elsewhere`."""
    keep_off = f'constraint {{\n attribute = "${{node.unique.name}}"\n operator = "!="\n value = "{elsewhere.name}"\n }}'
    peer.run_job(job('watcher', SLEEP, task_extra=WATCHER, job_extra=keep_off))
    wait_until(lambda: peer.all_allocs('watcher', 'running', 1), 30, 'the watcher runs', [peer])


def started(peer):
    """When the watcher was started last, and how often anew."""
    alloc, = peer.all_allocs('watcher', 'running', 1)
    task = peer.alloc(alloc['ID'])['TaskStates']['t']
    return task['StartedAt'], task['Restarts']


def test_services_survive_their_agent_and_not_their_machine():
    """A killed agent's instances stay in DNS; a lost machine's go, and their successors come."""
    cluster = region()
    site(cluster)
    victim = instances(cluster[0], 'web')
    away = next(p for p in (cluster[2], cluster[1]) if any(one['Address'] == p.address for one in victim))
    asked = next(p for p in cluster if p is not away)
    ports = sorted(one['Port'] for one in passing(asked, 'web'))
    run_watcher(asked, away)
    starts = started(asked)
    away.kill()
    wait_until(lambda: asked.member(away.name)['Status'] != 'alive', 30, 'its loss is seen', [asked])
    wait_until(lambda: dns(asked, 'web.service.gaggle', SRV)[1] == ports, 30, 'its tasks are known to run on', [asked])
    with watched(lambda: dns(asked, 'web.service.gaggle', SRV)[1]) as seen:
        away.start()
        wait_until(lambda: away.ask('service', 'info', 'web'), 30, 'it knows its services again', cluster.peers)
        told = len(seen)
        wait_until(lambda: len(seen) > told + 20, 30, 'it was looked at for a while', cluster.peers)
    other = {tuple(one) for one in seen} - {tuple(ports)}
    check(not other, f'an agent that starts again takes nothing away: {other}, not {ports}')
    check(started(asked) == starts, 'no template has restarted its task for it')
    away.crash()
    dead = {one['AllocID'] for one in victim if one['Address'] == away.address}
    wait_until(lambda: not dead & allocs_of(instances(asked, 'web')) and len(passing(asked, 'web')) >= 2, 90,
               'the lost instances are replaced', cluster.peers)
    wait_until(lambda: away.address not in dns(asked, 'web.service.gaggle', A)[1], 60, 'DNS has forgotten them',
               cluster.peers)
