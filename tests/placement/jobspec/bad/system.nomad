# What a system job cannot have.
job "everywhere" {
  type = "system"

  reschedule {
    attempts  = 3
    interval  = "1h"
    unlimited = false
  }

  affinity {
    attribute = "${node.class}"
    value     = "fast"
  }

  group "g" {
    count = 2

    migrate {
      max_parallel = 1
    }

    task "t" {
      driver = "raw_exec"
    }
  }
}
