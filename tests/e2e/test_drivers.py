"""Drivers exec and docker on one peer: the examples, isolation, limits, and containers that outlive agents."""
import json
import os
import shutil
import subprocess
import urllib.request

import engine
import processes
from harness import HTTP_PORT, ROOT, Cluster, Skip, check, check_says, lazily, published_token, wait_until
from jobs import job
from terminal import Terminal

EXAMPLES = os.path.join(ROOT, 'examples')
docker = lazily(engine.Docker)


def with_image():
    """The engine, with an image for the tests in it."""
    made = docker()
    path = os.path.join(made.directory, 'web.tar')
    if not os.path.exists(path):
        engine.archive(path, 'gaggle-test:1')
        made.load(path)
    return made


def make_cluster():
    options = ['--docker-socket', with_image().socket] if shutil.which('dockerd') else []
    made = Cluster(1)
    made.options = options
    try:
        return made.found(options)
    except BaseException:
        made.close()
        raise


cluster = lazily(make_cluster)


def peer():
    return cluster()[0]


def close():
    cluster.close()
    docker.close()


def need(driver):
    """The driver is healthy on the peer, or the test cannot run here."""
    told = peer().ask('node', 'status', peer().ask('node', 'status')[0]['ID'])['Drivers'][driver]
    if not told['Healthy']:
        raise Skip(f'driver {driver}: {told["HealthDescription"]}')


def address_of(alloc):
    ports = peer().alloc(alloc['ID'])['AllocatedResources']['Shared']['Ports']
    return ports[0]['HostIP'], ports[0]['Value']


def running(name):
    return wait_until(lambda: peer().all_allocs(name, 'running', 1), 60, f'{name} runs', [peer()])[0]


def shell(name, script, **more):
    return job(name, script, **more).replace('driver = "raw_exec"', 'driver = "exec"')


def test_node_tells_its_drivers():
    """`gctl node status` shows each driver with its health, and why an ill one is ill."""
    node = peer().ask('node', 'status')[0]['ID']
    drivers = peer().ask('node', 'status', node)['Drivers']
    check({'docker', 'exec', 'raw_exec'} <= set(drivers), f'all drivers are told: {drivers}')
    check(drivers['raw_exec']['Healthy'] and drivers['raw_exec']['HealthDescription'] == 'Healthy', 'raw_exec is well')
    check_says(peer().gctl('node', 'status', node), r'Drivers +=.*raw_exec')


def test_postgres_under_exec():
    """PostgreSQL by driver exec: it answers a query, and its data is the allocation's."""
    need('exec')
    psql = shutil.which('psql')
    if not psql:
        raise Skip('no psql here: install postgresql')
    peer().gctl('job', 'run', os.path.join(EXAMPLES, 'postgres.nomad'))
    ip, port = address_of(running('postgres'))

    def query(text):
        return subprocess.run([psql, '-h', ip, '-p', str(port), '-U', 'postgres', '-Atc', text],
                              capture_output=True, text=True, timeout=60)
    wait_until(lambda: query('select 6 * 7').stdout == '42\n', 90, 'PostgreSQL answers', [peer()])
    made = query('create table t (x int); insert into t values (7); select x from t')
    check(made.stdout.endswith('7\n'), f'a table keeps a row: {made}')
    peer().gctl('job', 'stop', '-purge', 'postgres')


def test_redis_under_exec():
    """Redis by driver exec, with a memory limit and processes of its own."""
    need('exec')
    peer().gctl('job', 'run', os.path.join(EXAMPLES, 'redis-exec.nomad'))
    ip, port = address_of(running('redis-exec'))

    def redis(*words):
        return subprocess.run(['redis-cli', '-h', ip, '-p', str(port), *words], capture_output=True, text=True).stdout
    wait_until(lambda: redis('ping') == 'PONG\n', 30, 'Redis answers', [peer()])
    check(redis('set', 'k', 'v') == 'OK\n' and redis('get', 'k') == 'v\n', 'it keeps a key')
    peer().gctl('job', 'stop', '-purge', 'redis-exec')


def test_web_server_in_docker():
    """A web server in a container serves its page on the allocation's port; stopping the job removes the container."""
    need('docker')
    if not shutil.which('docker'):
        raise Skip('no docker here, which examples/web-image needs: install docker.io (tests/install-packages)')
    made = subprocess.run([os.path.join(EXAMPLES, 'web-image'), '-H', 'unix://' + docker().socket], capture_output=True,
                          text=True)
    check(made.returncode == 0, f'examples/web-image: {made.stderr}')
    peer().gctl('job', 'run', '-var', 'network_mode=host', os.path.join(EXAMPLES, 'web-docker.nomad'))
    alloc = running('web')
    ip, port = address_of(alloc)

    def page():
        return subprocess.run(['curl', '-s', f'http://{ip}:{port}/'], capture_output=True, text=True).stdout
    wait_until(lambda: page() == 'hello from a container\n', 30, 'the page is served', [peer()])
    names = [c['Names'][0] for c in docker().containers()]
    check(names == ['/httpd-' + alloc['ID']], f'one container, named after its task: {names}')
    peer().gctl('job', 'stop', 'web')
    wait_until(lambda: not docker().containers(), 30, 'the container is gone', [peer()])


CONTAINER = '''
job "{name}" {{
  type = "{type}"
  group "g" {{
    ephemeral_disk {{
      size = 20
    }}
    restart {{
      attempts = 0
      mode     = "fail"
    }}
    reschedule {{
      attempts  = 0
      unlimited = false
    }}
    task "t" {{
      driver = "docker"
      config {{
        image        = "{image}"
        network_mode = "none"
        command      = "sh"
        args         = ["-c", "{script}"]
      }}
      logs {{
        max_files     = 2
        max_file_size = 5
      }}
      resources {{
        cpu    = 20
        memory = 16
      }}
    }}
  }}
}}
'''


def container(name, script, type='batch', image='gaggle-test:1'):
    return CONTAINER.format(name=name, script=script, type=type, image=image)


def test_container_runs_and_tells():
    """A container's output, environment, exit code and want of memory are told like any task's."""
    need('docker')
    peer().run_job(container('says', 'echo $FROM_IMAGE $NOMAD_TASK_DIR; echo bad >&2; exit 3'), expect=(0, 1))
    failed = wait_until(lambda: peer().all_allocs('says', 'failed', 1), 60, 'it fails', [peer()])[0]
    check(peer().gctl('alloc', 'logs', failed['ID'][:8]) == 'yes /local\n', "the image's and the task's environment")
    check(peer().gctl('alloc', 'logs', '-stderr', failed['ID'][:8]) == 'bad\n', 'the streams are kept apart')
    check_says(peer().gctl('alloc', 'status', failed['ID'][:8]), r'Exit Code: 3')
    peer().run_job(container('hungry', 'x=x; while :; do x=$$x$$x; done'.replace('$$', '$')), expect=(0, 1))
    dead = wait_until(lambda: peer().all_allocs('hungry', 'failed', 1), 60, 'it is killed', [peer()])[0]
    check_says(peer().gctl('alloc', 'status', dead['ID'][:8]), 'want of memory|OOM')
    wait_until(lambda: not docker().containers(), 30, 'no container is left', [peer()])


def test_container_runs_as_whom_the_task_names():
    """Users that only the image has are none of this machine's: numbers own the task's files, and it starts."""
    need('docker')
    key = 'user = "1234:77"\n template {\n data = "the key"\n destination = "secrets/key"\n perms = "0600"\n }'
    peer().run_job(container('who', 'id -u; id -g; cat /secrets/key').replace('driver = "docker"',
                                                                              'driver = "docker"\n' + key))
    done = wait_until(lambda: peer().all_allocs('who', 'complete', 1), 60, 'it completes', [peer()])[0]
    check(peer().gctl('alloc', 'logs', done['ID'][:8]) == '1234\n77\nthe key', 'its numbers, and its own secret')


def test_missing_image_or_command_is_told():
    """An image that does not exist, and a command that is none in it, end in a clear event and the right state."""
    need('docker')
    peer().run_job(container('nowhere', 'true', image='localhost:9/no-such:1'), expect=(0, 1))
    failed = wait_until(lambda: peer().all_allocs('nowhere', 'failed', 1), 60, 'it fails', [peer()])[0]
    check_says(peer().gctl('alloc', 'status', failed['ID'][:8]), 'download image localhost:9/no-such:1')
    for name, command in (('absent', '/no/such/program'), ('unfit', '/etc/passwd')):
        text = container(name, 'true').replace('command      = "sh"', f'command      = "{command}"')
        peer().run_job(text, expect=(0, 1))
        failed = wait_until(lambda: peer().all_allocs(name, 'failed', 1), 60, f'{name} fails', [peer()])[0]
        check_says(peer().gctl('alloc', 'status', failed['ID'][:8]), 'Driver Failure', command)
    wait_until(lambda: not docker().containers(), 30, 'no container is left', [peer()])


BEFORE = '''
    task "fetch" {{
      driver = "raw_exec"
      lifecycle {{
        hook = "prestart"
      }}
      config {{
        command = "cp"
        args    = ["{archive}", "${{NOMAD_ALLOC_DIR}}/../t/local/image.tar"]
      }}
      logs {{
        max_files     = 1
        max_file_size = 1
      }}
      resources {{
        cpu    = 10
        memory = 10
      }}
    }}
    task "t" {{'''


def test_image_from_archive():
    """An image comes from an archive in the task's directory: `load`."""
    need('docker')
    path = os.path.join(docker().directory, 'load.tar')
    engine.archive(path, 'gaggle-load:1')
    text = container('loads', 'echo loaded', image='gaggle-load:1').replace('config {', 'config {\n load = "image.tar"')
    peer().run_job(text.replace('    task "t" {', BEFORE.format(archive=path)))
    done = wait_until(lambda: peer().all_allocs('loads', 'complete', 1), 60, 'it completes', [peer()])[0]
    check(peer().gctl('alloc', 'logs', done['ID'][:8], 't') == 'loaded\n', 'it ran')
    check('gaggle-load:1' in docker().images(), 'the image is kept for a while')


def look_inside(driver, alloc, shell):
    """A command, a terminal and figures at the one task of the allocation."""
    ran = peer().try_gctl('alloc', 'exec', '-t=false', alloc['ID'], shell, '-c',
                          'cat; echo "$NOMAD_TASK_DIR" >&2; exit 7', stdin='typed\n' * 20_000)
    check(ran.returncode == 7 and ran.stderr == '/local\n', f'{driver}: {ran.returncode} {ran.stderr}')
    check(ran.stdout == 'typed\n' * 20_000, f'{driver}: {len(ran.stdout)} bytes came back')
    terminal = Terminal(peer(), 'alloc', 'exec', '-it', alloc['ID'], shell)
    # The window's size follows the start of the command.
    terminal.type('until stty size | grep "30 100"; do :; done; echo pid $$\n')
    terminal.expect(r'pid \d+')
    terminal.resize(40, 120)
    terminal.type('until stty size | grep "40 120"; do :; done; echo re""sized\n')
    terminal.expect(r'resized')
    terminal.type('sleep 1001\n')
    terminal.expect(r'sleep 1001')
    terminal.type('\x03')
    terminal.type('exit 9\n')
    check(terminal.wait() == 9, f'{driver}: exit code')
    none = peer().try_gctl('alloc', 'exec', '-t=false', alloc['ID'], '/no/such/program')
    check(none.returncode != 0 and '/no/such/program' in none.stdout + none.stderr, f'{driver}: {none}')

    def busy():
        usage = stats_of(alloc)['Tasks']['t']['ResourceUsage']
        return usage if usage['CpuStats']['Percent'] > 1 and usage['MemoryStats']['RSS'] > 10_000 else None
    wait_until(busy, 30, f'the task under {driver} is seen to be busy', [peer()])
    check_says(peer().gctl('alloc', 'status', '-stats', alloc['ID']), 'CPU Stats', 'Memory Stats')


def stats_of(alloc):
    request = urllib.request.Request(f'http://{peer().http_address}:{HTTP_PORT}/v1/client/allocation/{alloc["ID"]}/stats',
                                     headers={'X-Nomad-Token': published_token(peer().http_address)})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


BUSY = 'x=0; while :; do x=$((x+1)); done'


def test_inside_exec():
    """`alloc exec`, with and without a terminal, and figures of a task under driver exec."""
    need('exec')
    peer().run_job(shell('inside-exec', BUSY, cpu=50, memory=32))
    look_inside('exec', running('inside-exec'), '/bin/sh')
    peer().gctl('job', 'stop', '-purge', 'inside-exec')


def test_inside_docker():
    """`alloc exec`, with and without a terminal, and figures of a task under driver docker."""
    need('docker')
    peer().run_job(container('inside-docker', BUSY, type='service'))
    look_inside('docker', running('inside-docker'), 'sh')
    peer().gctl('job', 'stop', '-purge', 'inside-docker')
    wait_until(lambda: not docker().containers(), 30, 'the container is gone', [peer()])


def test_killed_shows_its_signal():
    """Whatever its driver, a task that SIGKILL ended shows exit code 137; where the signal is known, that as well."""
    rows = [('raw_exec', job('killed-raw', 'exec sleep 1000'), 'Exit Code: 137, Signal: 9')]
    for driver, text, says in (('exec', shell('killed-exec', 'exec sleep 1000'), 'Exit Code: 137, Signal: 9'),
                               ('docker', container('killed-docker', 'exec sleep 1000', type='service'),
                                'Exit Code: 137')):
        try:
            need(driver)
        except Skip:
            continue
        rows.append((driver, text, says))
    for driver, text, says in rows:
        name = 'killed-' + driver.split('_')[0]
        peer().run_job(text)
        alloc = running(name)
        peer().gctl('alloc', 'signal', '-s', 'SIGKILL', alloc['ID'])
        wait_until(lambda: says in peer().gctl('alloc', 'status', alloc['ID']), 30, f'{driver} says {says}', [peer()])
        peer().gctl('job', 'stop', '-purge', name)


def cpus_of(alloc):
    """What the task's first process may run on, as a text like "0-1"."""
    status = peer().gctl('alloc', 'exec', '-t=false', '-i=false', alloc['ID'], 'cat', '/proc/1/status')
    return next(line.split()[1] for line in status.splitlines() if line.startswith('Cpus_allowed_list'))


def test_cores_are_kept():
    """Tasks without `cores` leave the processors that another has for itself, and come back when it is over."""
    need('exec')
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip('one processor cannot be divided')
    with_docker = shutil.which('dockerd') is not None
    peer().run_job(shell('common', 'exec sleep 1000'))
    others = [running('common')]
    if with_docker:
        peer().run_job(container('common-docker', 'exec sleep 1000', type='service'))
        others.append(running('common-docker'))
    before = [cpus_of(alloc) for alloc in others]
    peer().run_job(shell('alone', 'echo $NOMAD_CPU_CORES $NOMAD_PARENT_CGROUP $NOMAD_CPU_LIMIT; exec sleep 1000')
                   .replace('cpu    = 20', 'cores = 1'))
    loner = running('alone')
    alone = cpus_of(loner)
    check(alone.isdigit(), f'one processor of its own: {alone}')
    given = peer().alloc(loner['ID'])['AllocatedResources']['Tasks']['t']['Cpu']
    offered = peer().node()['NodeResources']['Cpu']
    check(given == {'CpuShares': offered['CpuShares'] // offered['TotalCpuCores'], 'ReservedCores': [int(alone)]},
          f'its core is shown and counted: {given} of {offered}')
    said = f'{alone} /gaggle {given["CpuShares"]}\n'
    wait_until(lambda: peer().gctl('alloc', 'logs', loner['ID']) == said, 30, 'it is told so', [peer()])

    def kept_off():
        now = [cpus_of(alloc) for alloc in others]
        return now if alone not in now and now != before else None
    kept = wait_until(kept_off, 30, f'the others leave processor {alone}', [peer()])
    peer().run_job(shell('late', 'exec sleep 1000'))
    check(cpus_of(running('late')) == kept[0], 'who starts later is kept off too')
    peer().kill()
    peer().start(*cluster().options)
    check([cpus_of(alloc) for alloc in others] == kept, 'an agent that starts changes nothing')
    peer().gctl('job', 'stop', 'alone')
    wait_until(lambda: [cpus_of(alloc) for alloc in others] == before, 30, 'all is everybody\'s again', [peer()])
    for name in ('common', 'late') + (('common-docker',) if with_docker else ()):
        peer().gctl('job', 'stop', '-purge', name)


COUNT = 'n=0; while :; do n=$((n+1)); echo line $n; sleep 0.1; done'


def lines_of(alloc):
    text = peer().gctl('alloc', 'logs', alloc['ID'][:8])
    return [int(line.split()[1]) for line in text.splitlines()]


def test_containers_outlive_agent_and_engine():
    """Containers run on while the agent is killed and while dockerd restarts; no line is lost meanwhile."""
    need('docker')
    peer().run_job(container('counts', COUNT, type='service'))
    alloc = running('counts')
    wait_until(lambda: len(lines_of(alloc)) > 3, 30, 'it counts', [peer()])
    before = [c['Id'] for c in docker().containers()]
    peer().kill()
    peer().start(*cluster().options)
    seen = wait_until(lambda: lines_of(alloc), 30, 'its log is there', [peer()])[-1]
    wait_until(lambda: lines_of(alloc)[-1] > seen + 5, 30, 'it counts on', [peer()])
    docker().stop()
    docker().start()
    seen = lines_of(alloc)[-1]
    wait_until(lambda: lines_of(alloc)[-1] > seen + 5, 60, 'it counts on after the engine was away', [peer()])
    check([c['Id'] for c in docker().containers()] == before, 'it is the same container all the time')
    numbers = lines_of(alloc)
    check(set(numbers) >= set(range(1, numbers[-1] + 1)), f'no line is missing: {numbers}')
    check_says(peer().gctl('alloc', 'logs', '-stderr', alloc['ID'][:8]), 'the container engine was away')
    peer().gctl('job', 'stop', 'counts')
    wait_until(lambda: not docker().containers(), 60, 'the container is gone', [peer()])


def test_container_without_supervisor():
    """A container whose supervisor and agent were killed is removed by the agent that comes next, and started anew."""
    need('docker')
    peer().run_job(container('orphan', 'sleep 1000', type='service'))
    alloc = running('orphan')
    before = [c['Id'] for c in docker().containers()]
    supervisors = peer().supervisor_pids()
    peer().kill()
    for pid in supervisors:
        processes.send(pid, 9)
    peer().start(*cluster().options)
    wait_until(lambda: [c['Id'] for c in docker().containers()] not in ([], before), 60, 'another container', [peer()])
    check(len(docker().containers()) == 1, 'only one is left')
    check(peer().alloc(alloc['ID'])['ID'] == alloc['ID'], 'the allocation is the same')
    peer().gctl('job', 'stop', 'orphan')
    wait_until(lambda: not docker().containers(), 60, 'the container is gone', [peer()])
