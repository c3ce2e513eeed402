"""examples/redis.nomad, and talking to the Redis that it runs: for the quickstart and the tests."""
import os
import subprocess

from peer import ROOT
from waiting import Failed

JOB = os.path.relpath(os.path.join(ROOT, 'examples', 'redis.nomad'))


def the_allocation(peer, other_than=None):
    """The one allocation of redis that is to run and runs, in full; None while it is still the other."""
    live = [a for a in peer.allocs('redis')
            if a['DesiredStatus'] == 'run' and a['ClientStatus'] == 'running' and a['ID'] != other_than]
    return peer.alloc(live[0]['ID']) if len(live) == 1 else None


def address_of(alloc):
    resources = alloc['AllocatedResources']['Shared']
    port = next(p for p in resources['Ports'] if p['Label'] == 'db')
    return port['HostIP'], port['Value']


def redis(alloc, *args, stdin=''):
    """What redis-cli prints; an error of Redis is a Failed."""
    host, port = address_of(alloc)
    run = subprocess.run(['redis-cli', '-h', host, '-p', str(port), *args], input=stdin, capture_output=True,
                         text=True, timeout=20)
    answer = run.stdout.strip()
    if run.returncode != 0 or answer.startswith(('ERR', 'LOADING', 'Error')):
        raise Failed(f'redis-cli {" ".join(args)} at {host}:{port}: {answer} {run.stderr}')
    return answer
