{{- define "rca-agent.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "rca-agent.selector" -}}
app.kubernetes.io/name: rca-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "rca-agent.labels" -}}
{{ include "rca-agent.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "rca-agent.account" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else -}}
{{- include "rca-agent.name" . -}}
{{- end -}}
{{- end -}}
