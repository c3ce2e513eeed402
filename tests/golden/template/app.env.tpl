{{- /* an environment file */ -}}
{{ range nomadService "db" -}}
DATABASE_URL="postgres://{{ .Address }}:{{ .Port }}/app"
{{ end -}}
{{ with file "local/data.json" | parseJSON -}}
PORTS={{ .ports | join "," }}
UP={{ .up | toJSON }}
{{- end }}
SHOUT={{ env "NAME" | toUpper | printf "%q" }}
