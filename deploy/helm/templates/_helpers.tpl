{{- define "twofold.labels" -}}
app.kubernetes.io/name: twofold
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "twofold.selector" -}}
app.kubernetes.io/name: twofold
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What the pods of api and worker have in common. */}}
{{- define "twofold.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false # a Service named twofold would set TWOFOLD_PORT to its own URL
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- if eq .Values.state.accessMode "ReadWriteOnce" }}
affinity: # the volume is on one node only
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "twofold.selector" . | nindent 12 }}
            twofold/state: shared
{{- end }}
volumes:
  - name: state
    persistentVolumeClaim: {claimName: {{ .Release.Name }}-state}
  - name: tmp
    emptyDir: {medium: Memory, sizeLimit: 1Gi}
{{- end }}

{{- define "twofold.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - secretRef: {name: {{ .Values.secret }}}
env:
  {{- if .Values.redis.enabled }}
  - name: TWOFOLD_REDIS_URL
    value: redis://{{ .Release.Name }}-redis:6379/0
  {{- end }}
  {{- range $name, $value := .Values.settings }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
volumeMounts:
  - {name: state, mountPath: /state}
  - {name: tmp, mountPath: /tmp}
{{- end }}
