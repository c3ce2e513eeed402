"""The job of the quickstart, with the real redis-server, when all peers go down at once."""
import shutil

from harness import Cluster, Skip, check, lazily, wait_until
from redis_job import JOB, redis, the_allocation

KEYS = 100

region = lazily(lambda: Cluster(3).form())


def close():
    region.close()


def running_redis():
    """A Redis with KEYS saved keys: its allocation, in full."""
    for program in ('redis-server', 'redis-cli'):
        if not shutil.which(program):
            raise Skip(f'{program} is missing')
    cluster = region()
    cluster[1].gctl('job', 'run', JOB)
    alloc = answering(cluster)
    redis(alloc, stdin=''.join(f'SET key:{i} "honk {i}"\n' for i in range(KEYS)))
    redis(alloc, 'save')
    return alloc


def answering(cluster):
    alloc = wait_until(lambda: the_allocation(cluster[2]), 90, 'redis runs', cluster.peers)
    wait_until(lambda: redis(alloc, 'ping') == 'PONG', 30, 'redis answers', cluster.peers)
    return alloc


def start_all(cluster):
    for peer in cluster:
        peer.start(ready=False)
    for peer in cluster:
        peer.wait_ready()
    cluster.wait_voters(3)


def has_all_keys(alloc):
    check(redis(alloc, 'dbsize') == str(KEYS), f'{KEYS} keys, not {redis(alloc, "dbsize")}')
    check(redis(alloc, 'get', f'key:{KEYS - 1}') == f'honk {KEYS - 1}', 'the last key has its value')


def test_redis_when_all_agents_are_stopped_and_started():
    """All three agents stopped and started: Redis never stopped, is known again, and has its keys."""
    alloc = running_redis()
    cluster = region()
    holder = cluster.peer_of(alloc)
    pids = holder.steady_pids()  # not by their environment: Redis writes its title over that
    check(len(pids) == 2, f'a supervisor and a redis-server, not {pids}')
    for peer in cluster:
        check(peer.stop() == 0, 'a stopped agent ends with 0')
    check(redis(alloc, 'ping') == 'PONG', 'Redis answers without any agent')
    start_all(cluster)
    again = answering(cluster)
    check(again['ID'] == alloc['ID'] and holder.steady_pids() == pids, 'the same allocation, the same processes')
    has_all_keys(again)


def test_redis_when_all_machines_lose_power():
    """Agents and tasks of all three killed at once: Redis comes back by itself, once, with the keys that it saved."""
    alloc = running_redis()
    cluster = region()
    for peer in cluster:
        peer.crash()
    start_all(cluster)
    again = answering(cluster)
    check(again['NodeName'] == alloc['NodeName'], 'a sticky allocation comes back where its data is')
    has_all_keys(again)
    live = [p.name for p in cluster if p.steady_pids()]
    check(live == [alloc['NodeName']], f'it runs once, not at {live}')
