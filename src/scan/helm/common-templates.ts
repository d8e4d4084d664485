// Replacement for Bitnami's library chart `common`, if it is not in the repository: the named templates that affect images,
// and those that the manifests need to parse. A chart with the library beside it uses that instead.
import { type Body, parseTemplate } from './template/parser.ts';

const SOURCE = String.raw`
{{- define "common.images.image" -}}
{{- $registry := ((.global).imageRegistry) | default .imageRoot.registry -}}
{{- $tag := .imageRoot.tag -}}
{{- if and (not $tag) .chart }}{{ $tag = .chart.AppVersion }}{{ end -}}
{{- with $registry }}{{ . }}/{{ end -}}
{{- .imageRoot.repository -}}
{{- if .imageRoot.digest }}@{{ .imageRoot.digest }}{{ else }}:{{ $tag | toString }}{{ end -}}
{{- end -}}

{{- define "common.images.version" -}}
{{- $tag := .imageRoot.tag | toString -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+){0,2}(-|\\+|$)" $tag }}{{ regexFind "^[0-9.]+" $tag }}{{ else }}{{ .chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "common.names.name" -}}{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- define "common.names.chart" -}}{{ .Chart.Name }}-{{ .Chart.Version }}{{- end -}}
{{- define "common.names.fullname" -}}{{ .Values.fullnameOverride | default (printf "%s-%s" .Release.Name (include "common.names.name" .)) | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- define "common.names.dependency.fullname" -}}{{ .context.Release.Name }}-{{ .chartName }}{{- end -}}
{{- define "common.names.namespace" -}}{{ .Values.namespaceOverride | default .Release.Namespace }}{{- end -}}
{{- define "common.names.fullname.namespace" -}}{{ include "common.names.fullname" . }}-{{ include "common.names.namespace" . }}{{- end -}}

{{- define "common.tplvalues.render" -}}
{{- $text := .value -}}
{{- if not (kindIs "string" $text) }}{{ $text = toYaml $text }}{{ end -}}
{{- if .scope }}{{ tpl $text (merge (dict "Template" .context.Template "RelativeScope" .scope) .context) }}{{ else }}{{ tpl $text .context }}{{ end -}}
{{- end -}}
{{- define "common.tplvalues.merge" -}}
{{- $merged := dict -}}
{{- range .values }}{{ $merged = include "common.tplvalues.render" (dict "value" . "context" $.context) | fromYaml | merge $merged }}{{ end -}}
{{- toYaml $merged -}}
{{- end -}}
{{- define "common.tplvalues.merge-overwrite" -}}
{{- $merged := dict -}}
{{- range .values }}{{ $merged = include "common.tplvalues.render" (dict "value" . "context" $.context) | fromYaml | mergeOverwrite $merged }}{{ end -}}
{{- toYaml $merged -}}
{{- end -}}

{{- define "common.labels.standard" -}}app.kubernetes.io/managed-by: Helm{{- end -}}
{{- define "common.labels.matchLabels" -}}app.kubernetes.io/managed-by: Helm{{- end -}}
{{- define "common.images.pullSecrets" -}}{{- end -}}
{{- define "common.images.renderPullSecrets" -}}{{- end -}}
{{- define "common.affinities.pods" -}}{}{{- end -}}
{{- define "common.affinities.nodes" -}}{}{{- end -}}
{{- define "common.storage.class" -}}{{- end -}}
{{- define "common.ingress.supportsPathType" -}}true{{- end -}}
{{- define "common.ingress.supportsIngressClassname" -}}true{{- end -}}
{{- define "common.ingress.certManagerRequest" -}}{{- end -}}
{{- define "common.resources.preset" -}}{requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 150m, memory: 192Mi}}{{- end -}}
{{- define "common.utils.checksumTemplate" -}}0{{- end -}}
{{- define "common.errors.insecureImages" -}}{{- end -}}
{{- define "common.warnings.rollingTag" -}}{{- end -}}
{{- define "common.warnings.modifiedImages" -}}{{- end -}}
{{- define "common.compatibility.isOpenshift" -}}{{- end -}}
{{- define "common.compatibility.renderSecurityContext" -}}{{ omit .secContext "enabled" | toYaml }}{{- end -}}
{{- define "common.secrets.exists" -}}{{- end -}}
{{- define "common.secrets.lookup" -}}{{ .defaultValue }}{{- end -}}
{{- define "common.secrets.name" -}}{{ include "common.names.fullname" .context }}{{- end -}}
{{- define "common.secrets.key" -}}{{ .key }}{{- end -}}
{{- define "common.secrets.passwords.manage" -}}""{{- end -}}
{{- define "common.secrets.passwords.fail" -}}{{- end -}}

{{- define "common.capabilities.kubeVersion" -}}{{ .Capabilities.KubeVersion.Version }}{{- end -}}
{{- define "common.capabilities.apiVersions.has" -}}{{- end -}}
{{- define "common.capabilities.supportsHelmVersion" -}}true{{- end -}}
{{- define "common.capabilities.deployment.apiVersion" -}}apps/v1{{- end -}}
{{- define "common.capabilities.statefulset.apiVersion" -}}apps/v1{{- end -}}
{{- define "common.capabilities.daemonset.apiVersion" -}}apps/v1{{- end -}}
{{- define "common.capabilities.job.apiVersion" -}}batch/v1{{- end -}}
{{- define "common.capabilities.cronjob.apiVersion" -}}batch/v1{{- end -}}
{{- define "common.capabilities.policy.apiVersion" -}}policy/v1{{- end -}}
{{- define "common.capabilities.networkPolicy.apiVersion" -}}networking.k8s.io/v1{{- end -}}
{{- define "common.capabilities.ingress.apiVersion" -}}networking.k8s.io/v1{{- end -}}
{{- define "common.capabilities.rbac.apiVersion" -}}rbac.authorization.k8s.io/v1{{- end -}}
{{- define "common.capabilities.crd.apiVersion" -}}apiextensions.k8s.io/v1{{- end -}}
{{- define "common.capabilities.apiService.apiVersion" -}}apiregistration.k8s.io/v1{{- end -}}
{{- define "common.capabilities.hpa.apiVersion" -}}autoscaling/v2{{- end -}}
{{- define "common.capabilities.vpa.apiVersion" -}}autoscaling.k8s.io/v1{{- end -}}
{{- define "common.capabilities.psp.supported" -}}{{- end -}}
{{- define "common.capabilities.admissionConfiguration.supported" -}}true{{- end -}}
`;

export const COMMON_TEMPLATES: ReadonlyMap<string, Body> = parseTemplate(SOURCE).defines;
