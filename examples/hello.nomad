# The smallest useful service: it says something every few seconds. Try
#     gctl job run -var greeting=hallo examples/hello.nomad
#     gctl alloc logs -f ALLOCATION

variable "greeting" {
  type        = string
  default     = "hello"
  description = "what it says"
}

variable "count" {
  type    = number
  default = 1
}

job "hello" {
  group "hello" {
    count = var.count

    ephemeral_disk {
      size = 20
    }

    task "say" {
      driver = "raw_exec"

      env {
        GREETING = "${var.greeting} from ${NOMAD_ALLOC_NAME}"
      }

      config {
        command = "/bin/sh"
        args    = ["-c", "while :; do echo \"$GREETING\"; sleep 2; done"]
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
