# A template that follows a service: `list` always knows where the instances of `web` are.
# Scale it with `gctl job run -var instances=3 examples/follow.nomad` and look at the log of `list`: `gctl job status follow`
# names its allocation (of group `list`), `gctl alloc logs -f ALLOCATION` shows it.

variable "instances" {
  type    = number
  default = 2
}

job "follow" {
  type = "service"

  group "web" {
    count = var.instances

    network {
      port "http" {}
    }

    ephemeral_disk {
      size = 20 # MB
    }

    service {
      name = "follow-web"
      port = "http"

      check {
        type     = "http"
        path     = "/"
        interval = "1s"
        timeout  = "1s"
      }
    }

    task "server" {
      driver = "raw_exec"

      config {
        command = "python3"
        args    = ["-m", "http.server", "--bind", "${NOMAD_IP_http}", "${NOMAD_PORT_http}"]
        work_dir = "${NOMAD_TASK_DIR}"
      }

      template {
        destination = "local/index.html"
        data        = "instance {{ env \"NOMAD_ALLOC_INDEX\" }}\n"
      }

      logs {
        max_files     = 1
        max_file_size = 2
      }

      resources {
        cpu    = 20
        memory = 32
      }
    }
  }

  group "list" {
    ephemeral_disk {
      size = 20 # MB
    }

    task "list" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args = ["-c", <<-SCRIPT
          trap 'cat "$NOMAD_TASK_DIR/servers"' HUP
          cat "$NOMAD_TASK_DIR/servers"
          while :; do sleep 1 & wait; done
          SCRIPT
        ]
      }

      template {
        destination   = "local/servers"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        splay         = "0s"
        data          = <<-EOT
          servers: {{ len (nomadService "follow-web") }}
          {{- range nomadService "follow-web" }}
          http://{{ .Address }}:{{ .Port }}/ on {{ .Node }}
          {{- end }}
        EOT
      }

      logs {
        max_files     = 1
        max_file_size = 2
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
