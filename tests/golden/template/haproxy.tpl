{{- define "servers" }}
{{- range $i, $s := . }}
    server {{ $s.Name }}-{{ add $i 1 }} {{ $s.Address }}:{{ $s.Port }} check
{{- end }}
{{- end -}}
frontend www
    bind *:{{ env "NOMAD_PORT_http" }}
    default_backend web
{{ range $service := nomadServices }}
backend {{ $service.Name }}
    balance {{ if in $service.Tags "primary" }}first{{ else }}roundrobin{{ end }}
    {{- template "servers" nomadService $service.Name }}
{{ end -}}
