# Words that Nomad does not know, and some that this version does not run yet.
job "web" {
  datacentres = ["dc1"]

  parameterized {
    payload = "required"
  }

  group "g" {
    cuont = 2
    count {
      value = 1
    }

    resources = {
      cpu = 5
    }

    periodic {
      cron = "* * * * *"
    }

    netwrok {
      mode = "host"
    }

    task "t" {
      driver = "raw_exec"

      template {
        data        = "x"
        destination = "y"
      }

      resources {
        cpus   = 100
        memroy = 64
        disk   = 10
      }

      dynamic "service" {
        for_each = []
      }

      vault {
        policies = ["a"]
      }
    }
  }
}
