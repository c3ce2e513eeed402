"""A spare, which holds neither log nor ledger, takes every command; queries wait for a change, there and at a voter."""
import http.client
import json
import threading
import time

from harness import HTTP_PORT, Cluster, Peer, check, check_says, lazily, published_token, wait_until
from jobs import COUNT_ALOUD, SLEEP, job


def form():
    """Three voters, and a fourth peer whose certificate gives it no vote: it stays a spare."""
    cluster = Cluster(3).form()
    try:
        spare = Peer('d', cluster[0].address.rsplit('.', 1)[0] + '.4', cluster.directory)
        cluster.peers.append(spare)
        cluster.join(spare, cluster.invite(options=['--rights', 'submit,run,hold']))
    except BaseException:
        cluster.close()
        raise
    return cluster


region = lazily(form)


def close():
    region.close()


def the_spare():
    spare = region()[3]
    check(spare.member('d')['Tags']['role'] == 'spare', f'd is a spare: {spare.member("d")}')
    check(all(m['Name'] != 'd' for m in spare.ask('region', 'status')['Members']), 'and no member of the group')
    return spare


# --- commands

def test_a_spare_runs_shows_and_stops_jobs():
    """A job submitted at a spare runs, is shown there with its logs from other peers, and is stopped from there."""
    cluster, spare = region(), the_spare()
    spare.run_job(job('relayed', COUNT_ALOUD, count=4))
    allocs = wait_until(lambda: spare.all_allocs('relayed', 'running', 4), 60, 'four run', cluster.peers)
    check({a['ID'] for a in allocs} == {a['ID'] for a in cluster[0].allocs('relayed')}, 'a voter tells the same')
    elsewhere = next(a for a in allocs if a['NodeName'] != spare.name)
    wait_until(lambda: len(spare.gctl('alloc', 'logs', elsewhere['ID'][:8]).splitlines()) > 5, 30,
               'the log of another peer\'s task', cluster.peers)
    with spare.follow(elsewhere) as follower:
        wait_until(lambda: len(follower.read()) > 20, 30, 'and it is followed', cluster.peers)
    check(spare.alloc(elsewhere['ID'])['NodeName'] == elsewhere['NodeName'], 'an allocation of another peer')
    evaluation = spare.evaluations('relayed')[0]['ID']
    check(spare.ask('eval', 'status', evaluation)['Status'] == 'complete', 'an evaluation')
    check({n['Name'] for n in spare.ask('node', 'status')} == {'a', 'b', 'c', 'd'}, 'all four as places to run on')
    check_says(spare.plan_job(job('relayed', COUNT_ALOUD, count=6)).stdout, '2 create|2 place')
    spare.gctl('job', 'stop', 'relayed')
    wait_until(lambda: not any(p.pids_of_job('relayed') for p in cluster), 60, 'stopped everywhere', cluster.peers)
    the_spare()


# --- blocking queries

def get(peer, path):
    """(index, body) of one request."""
    connection = http.client.HTTPConnection(peer.address, HTTP_PORT, timeout=90)
    try:
        connection.request('GET', path, headers={'X-Nomad-Token': published_token(peer.address)})
        answer = connection.getresponse()
        text = answer.read().decode()
        check(answer.status == 200, f'GET {path} at {peer.name}: {answer.status} {text}')
        return int(answer.headers['X-Nomad-Index']), json.loads(text)
    finally:
        connection.close()


class BlockingQuery(threading.Thread):
    """Asks for what comes after the present index; `index` and `body` are the answer once it ends."""

    def __init__(self, peer, path):
        super().__init__(daemon=True)
        self.peer, self.path = peer, path
        self.since, _ = get(peer, path)
        self.index, self.body = None, None
        self.start()

    def run(self):
        self.index, self.body = get(self.peer, f'{self.path}?index={self.since}&wait=80s')


def returns_upon(path, change, shows):
    """The query waits as long as nothing changes, and returns with the change, long before its 80 s are over."""
    cluster = region()
    queries = [BlockingQuery(peer, path) for peer in (cluster[0], the_spare())]
    end = time.monotonic() + 1
    wait_until(lambda: time.monotonic() > end, 5, 'a second in which nothing changes')
    for query in queries:
        check(query.is_alive(), f'{path} at {query.peer.name} did not wait: it came with index {query.index}')
    change()
    for query in queries:
        wait_until(lambda: not query.is_alive(), 40, f'{path} at {query.peer.name} returns', cluster.peers)
        check(query.index is not None and query.index > query.since, f'{path}: {query.since}, then {query.index}')
        check(shows(query.body), f'{path} at {query.peer.name} shows the change: {query.body}')


def test_blocking_query_on_a_job_and_on_its_allocations():
    """A blocking query on a job returns when it is changed, one on its allocations when one is added."""
    cluster = region()

    def scale(count):
        cluster[1].run_job(job('watched', SLEEP, count=count))
        wait_until(lambda: cluster[0].all_allocs('watched', 'running', count), 60, f'{count} run', cluster.peers)
        wait_until(lambda: cluster[0].job('watched')['Status'] == 'running', 20, 'the job runs', cluster.peers)
    scale(1)
    returns_upon('/v1/job/watched', lambda: scale(2), lambda body: body['TaskGroups'][0]['Count'] == 2)
    returns_upon('/v1/job/watched/allocations', lambda: scale(3), lambda body: len(body) == 3)
    cluster[0].gctl('job', 'stop', 'watched')


def test_blocking_query_on_an_evaluation():
    """A blocking query on an evaluation that is blocked returns when that is canceled."""
    cluster = region()
    memory = max(peer.node()['NodeResources']['Memory']['MemoryMB'] for peer in cluster)
    cluster[1].run_job(job('large', SLEEP, memory=2 * memory), '--detach')

    def blocked():
        return next((e for e in cluster[0].evaluations('large') if e['Status'] == 'blocked'), None)
    evaluation = wait_until(blocked, 20, 'a blocked evaluation', cluster.peers)
    returns_upon(f'/v1/evaluation/{evaluation["ID"]}', lambda: cluster[1].gctl('job', 'stop', 'large'),
                 lambda body: body['Status'] == 'canceled')


def test_blocking_query_on_the_nodes():
    """A blocking query on the nodes returns when one of them is lost."""
    cluster = region()
    members = {m['Name']: m for m in cluster[0].ask('region', 'status')['Members']}
    lost = next(p for p in cluster.peers[1:3] if not members[p.name]['Leader'])
    returns_upon('/v1/nodes', lost.kill,
                 lambda body: next(n for n in body if n['Name'] == lost.name)['Status'] != 'ready')
    lost.start()
