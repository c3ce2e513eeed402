# The same Redis as in redis.nomad, by driver exec: a root, processes and limits of its own.

job "redis-exec" {
  type = "service"

  group "cache" {
    count = 1

    network {
      port "db" {}
    }

    ephemeral_disk {
      size = 50
    }

    task "redis" {
      driver = "exec"

      config {
        command = "redis-server"
        args = [
          "--bind", "${NOMAD_IP_db}",
          "--port", "${NOMAD_PORT_db}",
          "--dir", "/alloc/data",
          "--daemonize", "no",
          "--maxmemory", "32mb",
        ]
      }

      kill_signal  = "SIGTERM" # it saves its data before it ends
      kill_timeout = "10s"

      logs {
        max_files     = 2
        max_file_size = 5
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
