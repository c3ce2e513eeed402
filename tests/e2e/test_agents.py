"""Tasks outlive agents: one agent killed, all agents stopped, all machines without power."""
from harness import Cluster, check, lazily, wait_until
from jobs import COUNT_ALOUD, REPLICATED, STATE, job

region = lazily(lambda: Cluster(3).form())


def close():
    region.close()


def runs_once(cluster, text):
    """The job's only allocation, and who runs it. The job may run already: then nothing changes."""
    cluster[0].run_job(text)
    name = text.split('"')[1]
    alloc = wait_until(lambda: cluster[0].all_allocs(name, 'running', 1), 40, f'{name} runs', cluster.peers)[0]
    return alloc, cluster.peer_of(alloc)


def counting(cluster):
    return runs_once(cluster, job('aloud', COUNT_ALOUD))


def keeping_state(cluster):
    return runs_once(cluster, job('state', STATE, group_extra=REPLICATED))


def counted(lines):
    """True when these are line 1, line 2, ... without a gap or a repetition."""
    return lines == [f'line {i}' for i in range(1, len(lines) + 1)]


def test_kill_9_of_one_agent_alone():
    """kill -9 of one agent alone: the same task pids, no gap in the log, nothing replaced, also for who follows."""
    cluster = region()
    alloc, holder = counting(cluster)
    other = next(p for p in cluster if p is not holder)
    pids = holder.steady_pids()
    with other.follow(alloc) as follower:
        wait_until(lambda: len(follower.read()) > 10, 30, 'lines arrive at another peer', cluster.peers)
        before = len(follower.read())
        holder.kill()
        check(holder.steady_pids() == pids, 'the tasks do not notice')
        holder.start()
        check(holder.steady_pids() == pids, 'a restarted agent has the same task pids')
        said = wait_until(lambda: (lines := holder.gctl('alloc', 'logs', alloc['ID']).splitlines())
                          and len(lines) > before + 60 and lines, 40, 'the log goes on', cluster.peers)
        check(counted(said), 'the log has no gap and no repetition')
        check(counted(follower.read()), 'what the follower saw has no gap either')
    wait_until(lambda: other.ask('region', 'status')['HasQuorum'], 20, 'quorum', cluster.peers)
    allocs = other.allocs('aloud')
    check([a['ID'] for a in allocs] == [alloc['ID']], f'nothing was replaced: {allocs}')
    check(other.alloc(alloc['ID'])['TaskStates']['t']['Restarts'] == 0, 'nothing was restarted')


def test_logs_follow_across_an_agents_restart():
    """`alloc logs -f` begun after the restart shows all from the first line on, and goes on."""
    cluster = region()
    alloc, holder = counting(cluster)
    check(holder.stop() == 0, 'a stopped agent ends with 0')
    check(holder.pids_of_job('aloud'), 'its task runs on')
    holder.start()
    with holder.follow(alloc) as follower:
        first = wait_until(lambda: len(follower.read()) > 50 and len(follower.read()), 30, 'lines', cluster.peers)
        wait_until(lambda: len(follower.read()) > first + 20, 30, 'more lines', cluster.peers)
        check(counted(follower.read()), 'no gap, no repetition')
    cluster[0].gctl('job', 'stop', 'aloud')
    wait_until(lambda: not any(p.pids_of_job('aloud') for p in cluster), 40, 'stopped everywhere', cluster.peers)


def test_all_agents_stopped_and_started():
    """All three agents stopped and started: the region comes back by itself, tasks run on as the same processes."""
    cluster = region()
    alloc, holder = keeping_state(cluster)
    pids = holder.steady_pids()
    for peer in cluster:
        check(peer.stop() == 0, 'a stopped agent ends with 0')
    for peer in cluster:
        peer.start(ready=False)
    for peer in cluster:
        peer.wait_ready()
    cluster.wait_voters(3)
    check(holder.steady_pids() == pids, 'the same processes')
    again = wait_until(lambda: cluster[1].all_allocs('state', 'running', 1), 60, 'it is told as running', cluster.peers)
    check(again[0]['ID'] == alloc['ID'], 'the same allocation')


def test_all_machines_without_power():
    """Agents and tasks of all three killed at once: region and state come back by themselves, on the same peer."""
    cluster = region()
    alloc, holder = keeping_state(cluster)
    wait_until(lambda: holder.state_of(alloc) > 3, 30, 'there is a state', cluster.peers)
    for peer in cluster:
        peer.crash()
    kept = holder.state_of(alloc)
    for peer in cluster:
        peer.start(ready=False)
    for peer in cluster:
        peer.wait_ready()
    cluster.wait_voters(3)
    again = wait_until(lambda: cluster[2].all_allocs('state', 'running', 1), 90, 'it runs again', cluster.peers)[0]
    check(again['NodeName'] == holder.name, 'a sticky allocation stays where its data is')
    wait_until(lambda: holder.state_of(again) > kept, 40, 'it goes on', cluster.peers)
    said = [line for line in holder.gctl('alloc', 'logs', again['ID']).splitlines() if line.startswith('began')]
    check(said[-1] == f'began with {kept}, of 1 kind', f'it began with what it had, {kept}: {said}')
    live = [p.name for p in cluster if p.pids_of_job('state')]
    check(live == [holder.name], f'it runs once, not at {live}')
