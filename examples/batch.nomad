# Work that ends: three allocations count to ten, each is complete when its task exits with 0.

job "batch" {
  type = "batch"

  group "count" {
    count = 3

    ephemeral_disk {
      size = 20
    }

    task "count" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", <<-SCRIPT
          for i in 1 2 3 4 5 6 7 8 9 10; do
            echo "$NOMAD_ALLOC_NAME: $i of 10"
            sleep 0.2
          done
          SCRIPT
        ]
      }

      restart {
        attempts = 1
        delay    = "2s"
      }

      logs {
        max_files     = 1
        max_file_size = 5
      }

      resources {
        cpu    = 50
        memory = 10
      }
    }
  }
}
