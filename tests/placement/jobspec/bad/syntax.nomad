# Not HCL; after each error the reader goes on.
job "web" {
  type: "service"
  region = 'global'
  "name" = "web"
  name = "a" "b"
  namespace =

  group "g" {
    network { port "http" {} }
    ephemeral_disk { size = 100 sticky = true }
    count = 1 +

    task "t" {
      driver = "raw_exec
      user = "a\qb"
      config {
        command = "/bin/true"
        args = ["a" "b"]
        more = { a = 1 b = 2 }
      }
      env {
        A = "${NOMAD_PORT_http"
        B = "%{ if true }x%{ endif }"
        C = [for x in [1]: x]
        D = upper("x")
        E = local.name
        F = "\u00"
        G = (1 + 2
      }
    }
  }
