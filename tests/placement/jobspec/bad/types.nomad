# Values of another type than the field.
job "web" {
  type        = "servise"
  priority    = "high"
  all_at_once = 3
  datacenters = "dc1"

  group "g" {
    count          = 1.5
    shutdown_delay = "20"

    restart {
      interval = null
      mode     = "fial"
      attempts = [2]
    }

    task "t" {
      driver       = ["raw_exec"]
      kill_timeout = "5 seconds"
      leader       = "maybe"
      user         = null

      env {
        A = ["x"]
      }

      resources {
        cpu = "100 MHz"
      }

      service {
        tags = [{}]

        check {
          interval = "10x"
        }
      }
    }
  }
}
