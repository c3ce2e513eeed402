# A group with a network of its own: its two tasks talk over localhost, and others reach port http of the
# machine, which is port 8080 inside. Needs root, containernetworking-plugins, iptables and busybox. Try
#     gctl job run examples/bridge.nomad
#     gctl alloc status ALLOCATION            (the port on the machine)
#     gctl alloc logs -f ALLOCATION client

job "bridge" {
  group "web" {
    network {
      mode     = "bridge"
      hostname = "web-${NOMAD_ALLOC_INDEX}"

      port "http" {
        to = 8080
      }
    }

    service {
      name     = "bridge-web"
      provider = "nomad"
      port     = "http"

      check {
        type     = "http"
        path     = "/"
        interval = "5s"
        timeout  = "2s"
      }
    }

    ephemeral_disk {
      size = 50
    }

    task "server" {
      driver = "raw_exec"

      config {
        command  = "/bin/sh"
        args     = ["-c", "echo \"hello from $(hostname)\" > index.html; exec busybox httpd -f -p 8080"]
        work_dir = "${NOMAD_TASK_DIR}"
      }

      logs {
        max_files     = 2
        max_file_size = 5
      }

      resources {
        cpu    = 50
        memory = 10
      }
    }

    task "client" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "while :; do busybox wget -q -O - http://localhost:8080/; sleep 1; done"]
      }

      logs {
        max_files     = 2
        max_file_size = 5
      }

      resources {
        cpu    = 50
        memory = 10
      }
    }
  }
}
