# Labels and blocks that are there twice.
job "web" "again" {
  group {
    task "a" "b" {
      driver = "raw_exec"
      driver = "exec"
      resources {}
      resources {}
      logs "x" {}
    }
  }

  meta {
    a = 1
    inner {}
  }
  meta = { b = 2 }

  update {}
  update {}
}
