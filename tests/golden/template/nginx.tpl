# {{ env "NAME" }} on port {{ env "NOMAD_PORT_http" }}
upstream backend {
{{- range nomadService "web" }}
  server {{ .Address }}:{{ .Port }};{{ if .Tags | contains "blue" }} # blue{{ end }}
{{- else }}
  server 127.0.0.1:65535; # nobody is there
{{- end }}
}
{{- $cache := nomadService "cache" }}
{{- if not $cache }}
# no cache
{{- end }}
