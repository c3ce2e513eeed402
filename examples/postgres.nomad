# PostgreSQL from Debian's package, in a container of its own by driver exec: it sees the host's programs
# read-only, runs as user postgres, and keeps its data in the allocation's directory.

job "postgres" {
  type = "service"

  group "db" {
    count = 1

    network {
      port "db" {}
    }

    ephemeral_disk {
      sticky = true
      size   = 200
    }

    service {
      name = "postgres"
      port = "db"

      check {
        type     = "tcp"
        interval = "2s"
        timeout  = "1s"
      }
    }

    task "postgres" {
      driver = "exec"
      user   = "postgres"

      config {
        command = "/bin/sh"
        args    = ["-c", <<-SCRIPT
          bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
          data=$NOMAD_ALLOC_DIR/data/postgres
          [ -e "$data/PG_VERSION" ] || "$bin/initdb" -D "$data" --auth=trust --no-sync || exit 1
          exec "$bin/postgres" -D "$data" -h "$NOMAD_IP_db" -p "$NOMAD_PORT_db" -k /tmp \
            -c shared_buffers=16MB -c dynamic_shared_memory_type=mmap
          SCRIPT
        ]
      }

      env {
        LC_ALL = "C"
      }

      kill_signal  = "SIGINT" # fast shutdown: open transactions are rolled back
      kill_timeout = "20s"

      logs {
        max_files     = 2
        max_file_size = 5
      }

      resources {
        cpu    = 100
        memory = 256
      }
    }
  }
}
