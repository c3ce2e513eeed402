"""`ephemeral_disk.size` is a limit: who crosses it is ended for good, by what is really on the disk."""
from harness import DevPeer, check, check_says, lazily, wait_until
from jobs import DISK, job

dev = lazily(DevPeer)

# Writes N MiB to the descriptor 3, which the caller has opened.
FILL = 'dd if=/dev/zero bs=1M count={n} status=none >&3'
STAY = 'exec sleep 1000'


def close():
    dev.close()


def exceeded(peer, name):
    """The event of the job's only allocation, once it has failed."""
    alloc = wait_until(lambda: peer.all_allocs(name, 'failed', 1), 40, f'{name} failed', [peer])[0]
    events = peer.alloc(alloc['ID'])['TaskStates']['t']['Events']
    found = [e for e in events if e['Type'] == 'Disk Resources Exceeded']
    check(found, f'the event is there: {[e["Type"] for e in events]}')
    check(not peer.pids_of_job(name), 'none of its processes is left')
    return alloc, found[-1]


def test_over_the_limit_is_killed_for_good():
    """A task that fills its disk is killed, fails with "Disk Resources Exceeded", DiskLimit and DiskSize, and is
    neither restarted nor rescheduled."""
    peer = dev()
    peer.run_job(job('filler', f'exec 3>"$NOMAD_ALLOC_DIR/data/large"\n{FILL.format(n=40)}\n{STAY}', group_extra=DISK),
                 '--detach')
    alloc, event = exceeded(peer, 'filler')
    limit, size = event['DiskLimit'], event['DiskSize']
    check(limit == 20 << 20 and size > limit, f'limit and size in bytes: {limit} {size}')
    check_says(peer.gctl('alloc', 'status', alloc['ID'][:8]), r'Disk Resources Exceeded')
    check([a['ID'] for a in peer.allocs('filler')] == [alloc['ID']], 'it fills no other disk')
    check(peer.alloc(alloc['ID'])['TaskStates']['t']['Restarts'] == 0, 'nor this one again')


def test_deleted_but_open_files_count_and_sparse_and_linked_ones_do_not():
    """A deleted file that stays open counts; a sparse file and a file of many names take what they take."""
    peer = dev()
    innocent = '''
cd "$NOMAD_ALLOC_DIR/data"
truncate -s 1G sparse
dd if=/dev/zero of=one bs=1M count=5 status=none
for i in 1 2 3 4 5 6 7 8 9; do ln one name-$i; done
echo done
'''
    peer.run_job(job('innocent', innocent + STAY, group_extra=DISK))
    quiet = wait_until(lambda: peer.all_allocs('innocent', 'running', 1), 40, 'it runs', [peer])[0]
    wait_until(lambda: peer.gctl('alloc', 'logs', quiet['ID'][:8]) == 'done\n', 30, 'it wrote all', [peer])
    hidden = f'exec 3>"$NOMAD_ALLOC_DIR/data/x"\nrm "$NOMAD_ALLOC_DIR/data/x"\n{FILL.format(n=60)}\n{STAY}'
    peer.run_job(job('hider', hidden, group_extra=DISK), '--detach')
    exceeded(peer, 'hider')
    check(peer.all_allocs('innocent', 'running', 1)[0]['ID'] == quiet['ID'], 'the other one runs on')
    peer.gctl('job', 'stop', 'innocent')
