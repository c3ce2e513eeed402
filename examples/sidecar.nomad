# Four tasks of one group, each with its place in the order: `prepare` runs first and to its end, `ship` beside the
# main task for as long as that lives, `report` once it has ended. The end of the leader ends the rest.

job "sidecar" {
  type = "batch"

  group "press" {
    ephemeral_disk {
      size = 20 # MB
    }

    task "prepare" {
      driver = "raw_exec"

      lifecycle {
        hook    = "prestart"
        sidecar = false
      }

      config {
        command = "/bin/sh"
        args    = ["-c", "echo 5 >$NOMAD_ALLOC_DIR/data/pages"]
      }

      logs {
        max_files     = 1
        max_file_size = 2
      }

      resources {
        cpu    = 20
        memory = 10
      }
    }

    task "print" {
      driver = "raw_exec"
      leader = true

      config {
        command = "/bin/sh"
        args = ["-c", <<-SCRIPT
          read pages <$NOMAD_ALLOC_DIR/data/pages
          for page in $(seq $pages); do
            echo "page $page of $pages"
            sleep 0.3
          done
          SCRIPT
        ]
      }

      logs {
        max_files     = 1
        max_file_size = 2
      }

      resources {
        cpu    = 20
        memory = 10
      }
    }

    # Started beside `print`, which it reads through the directory that they share; ended when `print` has ended.
    task "ship" {
      driver = "raw_exec"

      lifecycle {
        hook    = "poststart"
        sidecar = true
      }

      config {
        command = "/bin/sh"
        args    = ["-c", "exec tail -n +1 -F $NOMAD_ALLOC_DIR/logs/print.stdout.0"]
      }

      logs {
        max_files     = 1
        max_file_size = 2
      }

      resources {
        cpu    = 20
        memory = 10
      }
    }

    task "report" {
      driver = "raw_exec"

      lifecycle {
        hook = "poststop"
      }

      config {
        command = "/bin/sh"
        args    = ["-c", "echo $(grep -c page $NOMAD_ALLOC_DIR/logs/ship.stdout.0) pages were shipped"]
      }

      logs {
        max_files     = 1
        max_file_size = 2
      }

      resources {
        cpu    = 20
        memory = 10
      }
    }
  }
}
