"""The job files of the tests, as texts."""

GROUP = '''
job "{name}" {{
  type = "{type}"
  {job_extra}

  group "g" {{
    count = {count}
    {group_extra}

    task "t" {{
      driver = "raw_exec"

      config {{
        command = "/bin/sh"
        args    = ["-c", <<-SCRIPT
{script}
          SCRIPT
        ]
      }}

      {task_extra}

      logs {{
        max_files     = 2
        max_file_size = {file_size}
      }}

      resources {{
        cpu    = {cpu}
        memory = {memory}
      }}
    }}
  }}
}}
'''

DISK = 'ephemeral_disk {\n size = 20\n }'
REPLICATED = 'ephemeral_disk {\n size = 20\n sticky = true\n migrate = true\n replicas = 2\n }'


def job(name, script, type='service', count=1, cpu=20, memory=10, job_extra='', group_extra=DISK, task_extra='',
        file_size=5):
    """One group `g` with one task `t` that runs `script` in a shell."""
    script = '\n'.join('          ' + line for line in script.strip().splitlines())
    return GROUP.format(name=name, type=type, script=script, count=count, cpu=cpu, memory=memory,
                        job_extra=job_extra, group_extra=group_extra, task_extra=task_extra, file_size=file_size)


# Says 1, 2, 3, ... on its standard output: a lost or doubled line is a hole or a repetition.
COUNT_ALOUD = '''
n=0
while :; do n=$((n+1)); echo "line $n"; sleep 0.05; done
'''

# Keeps a file of 200 KiB in alloc/data that is rewritten as a whole: every line of it is the same number. It goes
# on from the number that it finds, and says the number that it began with.
STATE = '''
cd "$NOMAD_ALLOC_DIR/data"
n=$(head -n 1 state 2>/dev/null || echo 0)
echo "began with $n, of $(sort -u state 2>/dev/null | wc -l) kind"
while :; do
  n=$((n+1))
  yes "$n" | head -n 40000 > state.new && mv state.new state
  sleep 0.2
done
'''

SLEEP = 'exec sleep 1000'


def lost_after(duration):
    return f'disconnect {{\n lost_after = "{duration}"\n }}'
