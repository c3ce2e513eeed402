# A Redis whose data comes back when its machine is gone: two other peers keep a copy of alloc/data.
# `replicas` is Gaggle's own; for Nomad's tools write `meta { "gaggle.replicas" = "2" }` instead.

job "redis" {
  type = "service"

  group "cache" {
    count = 1

    network {
      port "db" {}
    }

    ephemeral_disk {
      sticky   = true
      migrate  = true
      replicas = 2
      size     = 100 # MB
    }

    service {
      name = "redis"
      port = "db"

      check {
        type     = "tcp"
        interval = "2s"
        timeout  = "1s"
      }
    }

    task "redis" {
      driver = "raw_exec"

      config {
        command = "redis-server"
        args = [
          "--bind", "${NOMAD_IP_db}",
          "--port", "${NOMAD_PORT_db}",
          "--dir", "${NOMAD_ALLOC_DIR}/data",
          "--daemonize", "no",
        ]
      }

      # Redis saves its data on SIGTERM before it ends.
      kill_signal  = "SIGTERM"
      kill_timeout = "10s"

      logs {
        max_files     = 2
        max_file_size = 5 # MB each
      }

      resources {
        cpu    = 100 # MHz
        memory = 64  # MB
      }
    }
  }
}
