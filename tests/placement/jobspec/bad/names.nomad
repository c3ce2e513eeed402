# Words that Nomad does not know, and some that this version does not run yet.
job "web" {
  datacentres = ["dc1"]

  multiregion {
    strategy {}
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

      volume_mount {
        volume      = "x"
        destination = "y"
      }

      template {
        dats = "x"
        wait {
          mn = "1s"
        }
      }

      artifact {
        sources = "http://localhost/x"
        mode    = "fille"
      }

      lifecycle {
        hook = "prestrat"
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
