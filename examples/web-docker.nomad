# A web server in a container: busybox's httpd from the image gaggle-web:1, which examples/web-image makes of this
# machine's busybox, page and all. Docker publishes the port that the group was given. An image of a registry is named
# as Docker names it.

variable "network_mode" {
  default = "bridge" # Docker's own; the tests' engine has no bridge and asks for "host"
}

job "web" {
  type = "service"

  group "web" {
    count = 1

    network {
      port "http" {
        to = 8080
      }
    }

    ephemeral_disk {
      size = 20
    }

    service {
      name = "docker-web"
      port = "http"

      check {
        type     = "http"
        path     = "/"
        interval = "2s"
        timeout  = "1s"
      }
    }

    task "httpd" {
      driver = "docker"

      config {
        image        = "gaggle-web:1"
        network_mode = var.network_mode
        ports        = ["http"]
        command      = "httpd"
        args = [
          "-f", "-v",
          "-p", var.network_mode == "host" ? "${NOMAD_ADDR_http}" : "8080",
          "-h", "/www",
        ]
      }

      logs {
        max_files     = 1
        max_file_size = 5
      }

      resources {
        cpu    = 50
        memory = 16
      }
    }
  }
}
