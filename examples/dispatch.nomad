# Runs once for each `gctl job dispatch -meta who=NAME dispatch FILE`.
job "dispatch" {
  type = "batch"

  parameterized {
    payload       = "required"
    meta_required = ["who"]
    meta_optional = ["mark"]
  }

  group "g" {
    ephemeral_disk {
      size = 20
    }

    task "say" {
      driver = "raw_exec"

      dispatch_payload {
        file = "text"
      }

      config {
        command = "/bin/sh"
        args    = ["-c", "echo \"$NOMAD_META_who: $(cat $NOMAD_TASK_DIR/text)$NOMAD_META_mark\""]
      }

      logs {
        max_files     = 2
        max_file_size = 1
      }

      resources {
        cpu    = 20
        memory = 10
      }
    }
  }
}
