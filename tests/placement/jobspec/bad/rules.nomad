# All words are right, but the values do not go together.
job "my web" {
  priority  = 200
  namespace = "a b"

  constraint {
    operator = "~="
    value    = "x"
  }

  group "g" {
    count = -1

    network {
      mode     = "brigde"
      hostname = "a..b"
      port "a" {
        static = 8080
      }
      port "b" {
        static = 8080
      }
      port "c" {
        static = 70000
      }
    }

    ephemeral_disk {
      size     = 50
      replicas = 9
    }

    restart {
      attempts = 10
      interval = "1m"
      delay    = "15s"
    }

    update {
      health_check     = "cheks"
      min_healthy_time = "10m"
      auto_promote     = true
    }

    disconnect {
      lost_after           = "1m"
      reconcile            = "best"
    }

    spread {
      weight = 101
      target "a" {
        percent = 60
      }
      target "b" {
        percent = 60
      }
    }

    service {
      name     = "web_service"
      provider = "consul"
      port     = "htpp"
      address_mode = "driver"
      address      = "10.0.0.1"
      task         = "c"
      check {
        type     = "grpc"
        interval = "10ms"
      }
      check {
        type = "script"
      }
      check {
        type                     = "http"
        protocol                 = "htps"
        task                     = "b"
        initial_status           = "pasing"
        success_before_passing   = -1
        failures_before_critical = -2
        check_restart {
          limit = -1
          grace = "-1s"
        }
      }
    }

    task "alloc" {
      leader      = true
      kill_signal = "SIGTREM"

      constraint {
        distinct_hosts = true
      }

      affinity {
        attribute = "${node.class}"
        value     = "fast"
        weight    = 0
      }

      resources {
        cpu        = 5
        cores      = 2
        memory     = 5
        memory_max = 3
      }
    }

    task "b" {
      driver       = "raw_exec"
      leader       = true
      kill_timeout = "20m"
    }

    task "b" {
      driver = "raw_exec"
    }
  }

  group "empty" {
  }
}
