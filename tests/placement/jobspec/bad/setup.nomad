# What is made ready before a task starts, said wrongly.
job "web" {
  parameterized {
    meta_required = ["a", "b"]
    meta_optional = ["b"]
  }

  group "g" {
    network {
      mode = "cni/"
    }

    task "t" {
      driver = "raw_exec"

      lifecycle {
        sidecar = true
      }

      template {
      }

      template {
        data          = "x"
        source        = "local/y"
        destination   = "../../out"
        change_mode   = "signal"
        change_signal = "sighpu"
        env           = true
        splay         = "-1s"
        perms         = "0999"
        uid           = 4294967295
      }

      template {
        data        = "x"
        destination = "../../out"
        change_mode = "script"
        change_script {
          args    = ["a"]
          timeout = "-1s"
        }
        wait {
          min = "5s"
          max = "1s"
        }
      }

      artifact {
        destination = "local/../../.."
      }

      artifact {
        source = "http://localhost/x"
        options {
          checksum = "sha257:00"
        }
      }

      artifact {
        source = "http://localhost/x"
        options {
          checksum = "md5:0000000000000000000000000000000g"
        }
      }

      dispatch_payload {
        file = "../../../x"
      }
    }

    task "hook" {
      driver = "raw_exec"
      lifecycle {
        hook = "poststop"
      }
      dispatch_payload {
      }
    }
  }
}
