# Our addition by way of meta, with the words of Nomad's own tools.
job "web" {
  group "g" {
    meta = {
      "gaggle.replicas" = "many"
    }
    task "t" {
      driver = "raw_exec"
    }
  }
}
