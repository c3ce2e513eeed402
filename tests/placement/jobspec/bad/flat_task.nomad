# A task directly in the job is a group of its own; its errors still stand where it is written.
job "flat" {
  type = "batch"

  task "only" {
    driver = "raw_exec"

    resources {
      memory = 1
    }
  }
}
