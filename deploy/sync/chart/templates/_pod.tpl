{{- define "sync.labels" -}}
app.kubernetes.io/name: gitops-guard
app.kubernetes.io/component: sync
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sync.pod" -}}
serviceAccountName: {{ .Release.Name }}
automountServiceAccountToken: true
terminationGracePeriodSeconds: 30
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
containers:
  - name: sync
    image: {{ include "sync.image" . | quote }}
    args:
      - sync
      - --source={{ .Values.source.url }}
      {{- with .Values.source.revision }}
      - --revision={{ . }}
      {{- end }}
      {{- with .Values.source.path }}
      - --path={{ . }}
      {{- end }}
      {{- with .Values.source.cluster }}
      - --cluster={{ . }}
      {{- end }}
      {{- with .Values.source.secret }}
      - --git-auth=/etc/gitops-guard/git
      {{- end }}
      {{- with .Values.source.allowedSigners }}
      - --allowed-signers=/etc/gitops-guard/signers/allowed_signers
      {{- end }}
      - --git-cache=/var/lib/gitops-guard/git
      - --namespace={{ .Release.Namespace }}
      - --name={{ .Release.Name }}
      {{- if .Values.sync.wait }}
      - --wait
      - --timeout={{ .Values.sync.timeout }}
      {{- end }}
      {{- if .Values.sync.prune }}
      - --prune
      {{- end }}
      {{- if .Values.sync.rollbackOnFailure }}
      - --rollback-on-failure
      {{- end }}
      {{- if eq .Values.sync.mode "interval" }}
      - --interval={{ .Values.sync.interval }}
      - --listen=0.0.0.0:8080
      {{- end }}
      {{- range .Values.sync.arguments }}
      - {{ . | quote }}
      {{- end }}
    {{- if eq .Values.sync.mode "interval" }}
    ports:
      - name: http
        containerPort: 8080
    livenessProbe:
      httpGet: {path: /healthz, port: http}
      periodSeconds: 30
      failureThreshold: 3
    readinessProbe:
      httpGet: {path: /readyz, port: http}
      periodSeconds: 10
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    resources: {{- toYaml .Values.resources | nindent 6 }}
    volumeMounts:
      {{- if .Values.source.secret }}
      - name: git
        mountPath: /etc/gitops-guard/git
        readOnly: true
      {{- end }}
      {{- if .Values.source.allowedSigners }}
      - name: signers
        mountPath: /etc/gitops-guard/signers
        readOnly: true
      {{- end }}
      - name: state
        mountPath: /var/lib/gitops-guard
      - name: tmp
        mountPath: /tmp
volumes:
  {{- with .Values.source.secret }}
  - name: git
    secret:
      secretName: {{ . }}
      defaultMode: 0440
      optional: true
  {{- end }}
  {{- with .Values.source.allowedSigners }}
  - name: signers
    configMap:
      name: {{ . }}
  {{- end }}
  - name: state
    emptyDir:
      sizeLimit: 1Gi
  - name: tmp
    emptyDir:
      sizeLimit: 256Mi
{{- end }}

{{- define "sync.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}
