"""One `--dev` agent: jobs from file to process, and what a user is told when something is wrong with them."""
import json
import os
import re

from harness import DevPeer, Skip, check, check_says, lazily, wait_until
from jobs import COUNT_ALOUD, DISK, SLEEP, job

dev = lazily(DevPeer)


def close():
    dev.close()


def test_batch_job_runs_to_completion():
    """A batch job of three allocations runs to completion; its output can be read."""
    peer = dev()
    peer.run_job(job('sums', 'echo "$NOMAD_ALLOC_INDEX: $((6 * 7))"', type='batch', count=3))
    done = wait_until(lambda: peer.all_allocs('sums', 'complete', 3), 40, 'three complete', [peer])
    said = sorted(peer.gctl('alloc', 'logs', a['ID'][:8]) for a in done)
    check(said == ['0: 42\n', '1: 42\n', '2: 42\n'], f'the tasks said {said}')
    status = wait_until(lambda: peer.job('sums')['Status'] == 'dead' and peer.job('sums'), 20, 'the job is dead', [peer])
    check(not status['Stop'], 'a finished batch job was not stopped by anybody')


def test_failing_batch_task_is_told():
    """A batch task that fails is restarted by its policy, then failed for good, with its exit code in the events."""
    peer = dev()
    policy = 'restart {\n attempts = 1\n interval = "1h"\n delay = "100ms"\n mode = "fail"\n }\n'
    never = 'reschedule {\n attempts = 0\n unlimited = false\n }'
    peer.run_job(job('fails', 'echo "I tried"; exit 3', type='batch', task_extra=policy, job_extra=never), expect=(0, 1))
    failed = wait_until(lambda: peer.all_allocs('fails', 'failed', 1), 40, 'the allocation failed', [peer])[0]
    state = peer.alloc(failed['ID'])['TaskStates']['t']
    check(state['Failed'] and state['Restarts'] == 1, f'one restart, then failed: {state}')
    check_says(peer.gctl('alloc', 'status', failed['ID'][:8]), r'Exit Code: 3', 'Restarting')
    check(peer.gctl('alloc', 'logs', failed['ID'][:8]) == 'I tried\n' * 2, 'both runs are in the log')


def test_scaled_job_keeps_what_runs():
    """A job run again with another count is scaled: what ran runs on under the same process ids."""
    peer = dev()
    peer.run_job(job('scaled', SLEEP, count=2))
    first = wait_until(lambda: peer.all_allocs('scaled', 'running', 2), 40, 'two run', [peer])
    before = peer.pids_of_allocs(first)
    peer.run_job(job('scaled', SLEEP, count=4))
    four = wait_until(lambda: peer.all_allocs('scaled', 'running', 4), 40, 'four run', [peer])
    check({a['ID'] for a in first} <= {a['ID'] for a in four}, 'the first two are among the four')
    check(peer.pids_of_allocs(first) == before, 'the first two are the same processes')
    peer.run_job(job('scaled', SLEEP, count=1))
    wait_until(lambda: len(peer.pids_of_job('scaled')) == 1, 40, 'one is left', [peer])


def test_replaced_job_warns():
    """A job run again with another task is replaced at once, and the warning says that updates come later."""
    peer = dev()
    peer.run_job(job('replaced', 'echo one; ' + SLEEP, count=2))
    first = wait_until(lambda: peer.all_allocs('replaced', 'running', 2), 40, 'two run', [peer])
    again = peer.run_job(job('replaced', 'echo two; ' + SLEEP, count=2))
    check_says(again.stdout + again.stderr, r'warning', r'at once|rolling|later')

    def replaced():
        live = [a for a in peer.all_allocs('replaced', 'running', 2) or [] if a['DesiredStatus'] == 'run']
        return live if len(live) == 2 and not {a['ID'] for a in live} & {a['ID'] for a in first} else None
    live = wait_until(replaced, 40, 'two others run', [peer])
    wait_until(lambda: len(peer.pids_of_job('replaced')) == 2, 40, 'the first two ended', [peer])
    check(all(peer.gctl('alloc', 'logs', a['ID'][:8]) == 'two\n' for a in live), 'the new task runs')


def test_count_that_does_not_fit_is_queued():
    """What does not fit is queued with the resource that lacks, and placed once there is room."""
    peer = dev()
    node = peer.node()
    memory = node['NodeResources']['Memory']['MemoryMB']
    answer = peer.run_job(job('large', SLEEP, count=3, memory=memory * 2 // 5), '--detach')
    check(answer.returncode == 0, 'to be queued is no failure')

    def queued():
        evaluations = [e for e in peer.evaluations('large') if e.get('FailedTGAllocs')]
        return evaluations[-1] if evaluations else None
    evaluation = wait_until(queued, 20, 'an evaluation that says what does not fit', [peer])
    metrics = evaluation['FailedTGAllocs']['g']
    check(metrics['DimensionExhausted'], f'the exhausted dimension is named: {metrics}')
    check_says(peer.gctl('job', 'status', 'large'), r'memory', r'queued|placement failure')
    wait_until(lambda: peer.all_allocs('large', 'running', 2), 40, 'what fits runs', [peer])
    plan = peer.plan_job(job('larger', SLEEP, count=3, memory=memory * 2 // 5))
    check(plan.returncode == 1, f'plan ends with 1 for changes, not {plan.returncode}')
    check_says(plan.stdout + plan.stderr, r'memory')
    peer.gctl('job', 'stop', 'large')


def test_constraint_that_nobody_meets_names_itself():
    """A constraint that no peer meets queues the job, and the constraint is named as the reason."""
    peer = dev()
    none = 'constraint {\n attribute = "${attr.kernel.name}"\n value = "plan9"\n }'
    some = 'constraint {\n attribute = "${attr.kernel.name}"\n value = "linux"\n }'
    plan = peer.plan_job(job('picky', SLEEP, job_extra=none))
    check_says(plan.stdout + plan.stderr, r'kernel\.name', r'plan9')
    peer.run_job(job('picky', SLEEP, job_extra=none), '--detach')
    check_says(wait_until(lambda: 'plan9' in peer.gctl('job', 'status', 'picky') and peer.gctl('job', 'status', 'picky'),
                          20, 'the status names the constraint', [peer]), r'kernel\.name')
    check(not peer.all_allocs('picky', 'running', 1), 'nothing runs against its constraint')
    peer.run_job(job('picky', SLEEP, job_extra=some))
    wait_until(lambda: peer.all_allocs('picky', 'running', 1), 40, 'with a constraint that is met it runs', [peer])
    peer.gctl('job', 'stop', 'picky')


def test_output_prints_the_api_json_and_submits_nothing():
    """`job run --output` prints the API's JSON, submits nothing, and that JSON can be run."""
    peer = dev()
    text = job('printed', SLEEP)
    made = peer.run_job(text, '--output')
    parsed = json.loads(made.stdout)
    check(parsed['Job']['ID'] == 'printed', f'the JSON is the job: {made.stdout[:300]}')
    check(parsed['Job']['TaskGroups'][0]['Tasks'][0]['Driver'] == 'raw_exec', 'the JSON has the task')
    check(peer.try_gctl('job', 'status', 'printed').returncode != 0, 'nothing was submitted')
    peer.run_job(made.stdout)
    wait_until(lambda: peer.all_allocs('printed', 'running', 1), 40, 'the JSON runs', [peer])
    peer.gctl('job', 'stop', 'printed')


def test_job_file_with_errors():
    """Every error of a job file is told at once, with file, line, column and a hint; nothing is submitted."""
    peer = dev()
    bad = job('bad', SLEEP).replace('driver = "raw_exec"', 'drivr = "raw_exec"').replace('count = 1', 'count = "x"')
    run = peer.run_job(bad, expect=None)
    check(run.returncode != 0, 'a bad file is refused')
    check_says(run.stdout + run.stderr, r'bad\.nomad:\d+:\d+: ', r'drivr.*driver', r'count')
    check(peer.try_gctl('job', 'status', 'bad').returncode != 0, 'nothing was submitted')
    validate = peer.try_gctl('job', 'validate', peer.job_file(bad))
    check(validate.returncode != 0, 'validate refuses it as well')
    text = '\ntemplate {\n destination = "local/x"\n data = "{{ foo }"\n }'
    bad = job('bad', SLEEP, task_extra=text).replace('command =', 'comand =')
    for command in ('run', 'plan', 'validate'):
        told = peer.try_gctl('job', command, peer.job_file(bad))
        check(told.returncode != 0, f'{command} refuses what the driver would')
        check_says(told.stdout + told.stderr, r'bad\.nomad:\d+:\d+: error: .*unknown option comand; it knows command',
                   r'bad\.nomad:\d+:\d+: error: template of destination "local/x"')


def test_unknown_driver():
    """A driver that does not exist is refused or queued by name, never run."""
    peer = dev()
    run = peer.run_job(job('odd', SLEEP).replace('"raw_exec"', '"rocket"'), '--detach', expect=None)
    told = run.stdout + run.stderr
    if run.returncode == 0:
        told = wait_until(lambda: 'rocket' in peer.gctl('job', 'status', 'odd') and peer.gctl('job', 'status', 'odd'),
                          20, 'the status names the driver', [peer])
    check_says(told, r'rocket')


def test_ill_driver_says_why():
    """Where a driver is missing, the placement failure and the node's status say why."""
    peer = dev()
    node = peer.ask('node', 'status')[0]['ID']
    ill = {name: driver for name, driver in peer.ask('node', 'status', node)['Drivers'].items() if not driver['Healthy']}
    if not ill:
        raise Skip('all drivers are well here')
    name, driver = sorted(ill.items())[0]
    check_says(peer.gctl('node', 'status', node), r'Drivers That Take No Tasks', name + r' +(true|false) +\w+')
    text = job('ill', SLEEP).replace('"raw_exec"', f'"{name}"')
    run = peer.run_job(text if name != 'docker' else text.replace('command = "/bin/sh"', 'image = "x"'), expect=(2,))
    check_says(run.stdout, re.escape(f'missing driver {name} ({driver["HealthDescription"][:60]}'))
    peer.gctl('job', 'stop', 'ill')


def test_reschedule_delay_is_told():
    """A group that failed and waits for its reschedule delay: `job run` and `job status` say until when; a job that was
    stopped and is run again begins anew, fails anew and says it again."""
    peer = dev()
    policy = ('restart {\n attempts = 0\n mode = "fail"\n }\nreschedule {\n delay = "1h"\n '
              'delay_function = "constant"\n unlimited = true\n }\n')
    text = job('delayed', 'exit 3', group_extra=DISK + '\n' + policy)
    when = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'
    check_says(peer.run_job(text, expect=(1,)).stdout, rf'by its reschedule policy it is replaced no earlier than {when}')
    check_says(peer.gctl('job', 'status', 'delayed'), rf'Future Rescheduling Attempts\n.*\ng +[0-9a-f]{{8}} +{when}\n')
    peer.gctl('job', 'stop', 'delayed')
    again = peer.run_job(text, expect=(1, 2))
    check_says(again.stdout, rf'will try again at {when}|is replaced no earlier than {when}')
    check_says(peer.gctl('job', 'status', 'delayed'), rf'Future Rescheduling Attempts\n.*\ng +[0-9a-f]{{8}} +{when}\n')
    peer.gctl('job', 'stop', 'delayed')


def test_task_that_cannot_start_says_why():
    """A command that is missing, not executable or no file fails its task for good, and its status names the command
    and what is in the way."""
    peer = dev()
    bad = {'missing': ('/no/such/program', 'No such file or directory; install it on this peer'),
           'plain': ('/etc/passwd', 'it is not executable; give it a mode such as 0755'),
           'folder': ('/etc', 'it is no file'),
           'nowhere': ('no-such-program', "it is neither in the task's directory nor along its PATH")}
    never = 'reschedule {\n attempts = 0\n unlimited = false\n }'
    for name, (command, _) in bad.items():
        text = job(name, SLEEP, group_extra=DISK + '\n' + never)
        peer.run_job(text.replace('command = "/bin/sh"', f'command = "{command}"'), '--detach')
    for name, (command, why) in bad.items():
        failed = wait_until(lambda: peer.all_allocs(name, 'failed', 1), 30, f'{name} failed', [peer])[0]
        check_says(peer.gctl('alloc', 'status', failed['ID'][:8]), 'Driver Failure',
                   f'find executable "{command}": {why}')
        state = peer.alloc(failed['ID'])['TaskStates']['t']
        check(state['Failed'] and state['Restarts'] == 0, f'another try would not help: {state}')
        peer.gctl('job', 'stop', name)


def test_logs_are_followed_to_their_end():
    """`alloc logs -f` follows while lines come, and `-n` shows the last ones only."""
    peer = dev()
    peer.run_job(job('talks', COUNT_ALOUD))
    alloc = wait_until(lambda: peer.all_allocs('talks', 'running', 1), 40, 'it runs', [peer])[0]
    with peer.follow(alloc) as lines:
        wait_until(lambda: len(lines.read()) > 20, 30, 'lines arrive', [peer])
        got = lines.read()
    check(got == [f'line {i}' for i in range(1, len(got) + 1)], f'every line once and in order: {got[:5]} ...')
    last = peer.gctl('alloc', 'logs', '-n', '3', alloc['ID'][:8]).splitlines()
    check(len(last) == 3 and all(re.fullmatch(r'line \d+', line) for line in last), f'-n 3 gave {last}')
    peer.gctl('job', 'stop', 'talks')
    wait_until(lambda: not peer.pids_of_job('talks'), 30, 'the stopped job has no process left', [peer])


def test_port_is_told_to_the_task():
    """A dynamic port and NOMAD_* names reach the task; two allocations have different ports."""
    peer = dev()
    network = 'network {\n port "web" {}\n }\n ephemeral_disk {\n size = 20\n }'
    peer.run_job(job('ports', 'echo "$NOMAD_JOB_NAME $NOMAD_ADDR_web $NOMAD_PORT_web"; ' + SLEEP, count=2,
                     group_extra=network))
    allocs = wait_until(lambda: peer.all_allocs('ports', 'running', 2), 40, 'both run', [peer])
    said = [peer.gctl('alloc', 'logs', a['ID'][:8]).split() for a in allocs]
    check(all(s[0] == 'ports' and s[1].endswith(':' + s[2]) for s in said), f'the tasks said {said}')
    check(said[0][2] != said[1][2], 'two allocations, two ports')
    peer.gctl('job', 'stop', 'ports')


def test_dev_agent_takes_its_tasks_with_it():
    """A stopped `--dev` agent leaves no process and no data directory."""
    peer = DevPeer(keeps_data=False)
    try:
        peer.run_job(job('short', SLEEP))
        wait_until(lambda: peer.all_allocs('short', 'running', 1), 40, 'it runs', [peer])
        pids = peer.pids_of_job('short')
        check(pids, 'there is a process to begin with')
        check(peer.stop() == 0, 'a stopped agent ends with 0')
        wait_until(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in pids), 20, 'the task ended', [peer])
        check(not os.path.exists(peer.data_dir), 'its data directory is gone')
    finally:
        peer.close()
