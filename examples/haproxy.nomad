# Three web servers, and a load balancer that follows them by the names of their services.
#
#     apt-get install haproxy busybox-static
#     gctl agent --dev &
#     gctl job run examples/haproxy.nomad
#     gctl service info web
#     curl http://127.0.0.1:8600/          # each time another of the three
#
# Stop or scale "web": HAProxy learns of it from the agent's DNS, within seconds and without a reload.
job "site" {
  group "web" {
    count = 3

    network {
      port "http" {}
    }

    service {
      name = "web"
      port = "http"
      tags = ["site"]

      check {
        type     = "http"
        path     = "/"
        interval = "2s"
        timeout  = "1s"
      }
    }

    task "server" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args = ["-c", <<-SCRIPT
          mkdir -p local/www
          echo "$NOMAD_ALLOC_ID" > local/www/index.html
          exec busybox httpd -f -p "$NOMAD_ADDR_http" -h local/www
          SCRIPT
        ]
      }

      resources {
        cpu    = 50
        memory = 32
      }
    }
  }

  group "balancer" {
    network {
      port "front" {
        static = 8600
      }
    }

    service {
      name = "front"
      port = "front"
    }

    task "haproxy" {
      driver      = "raw_exec"
      kill_signal = "SIGUSR1" # HAProxy ends when its last request is done

      env {
        FRONT = "${NOMAD_ADDR_front}"
        DNS   = "${attr.unique.gaggle.dns}"
      }

      config {
        command = "/bin/sh"
        args = ["-c", <<-SCRIPT
          cat > local/haproxy.cfg <<CONFIG
          defaults
            mode http
            timeout connect 2s
            timeout client 10s
            timeout server 10s
            option redispatch

          resolvers gaggle
            nameserver agent "$DNS"
            accepted_payload_size 8192
            timeout resolve 1s
            timeout retry 1s
            hold valid 1s
            hold obsolete 1s

          listen web
            bind "$FRONT"
            balance roundrobin
            server-template web 10 _web._tcp.service.gaggle resolvers gaggle resolve-prefer ipv4 init-addr none check inter 1s
          CONFIG
          exec haproxy -f local/haproxy.cfg
          SCRIPT
        ]
      }

      resources {
        cpu    = 100
        memory = 128
      }
    }
  }
}
