variable "namespace" {
  description = "Namespace of the data plane."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "instance" {
  description = "Prefix of the names of the data plane's objects: \"kong-dp\" names them kong-dp-kong, kong-dp-kong-proxy and kong-dp-status."
  type        = string
  default     = "kong-dp"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$", var.instance))
    error_message = "The prefix is 1 to 30 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "image" {
  description = "Kong's image. A data plane may be as new as its control plane, not newer."
  type        = string
  default     = "docker.io/kong/kong-gateway:3.9.1.2"
  nullable    = false

  validation {
    condition     = can(regex("(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image)) && !can(regex(":latest$", var.image))
    error_message = "The image names a tag or a digest, and not latest: pods of one data plane would run different versions."
  }
}

variable "control_plane_endpoint" {
  description = "host:port from which the data plane fetches its configuration."
  type        = string
  default     = "kong-kong-cluster.kong.svc.cluster.local:8005"
  nullable    = false

  validation {
    condition     = can(regex("^[^:/ ]+:[0-9]+$", var.control_plane_endpoint))
    error_message = "The endpoint is host:port, without a scheme."
  }
}

variable "telemetry_endpoint" {
  description = "host:port to which the data plane reports telemetry."
  type        = string
  default     = "kong-kong-clustertelemetry.kong.svc.cluster.local:8006"
  nullable    = false

  validation {
    condition     = can(regex("^[^:/ ]+:[0-9]+$", var.telemetry_endpoint))
    error_message = "The endpoint is host:port, without a scheme."
  }
}

variable "cluster_certificate_secret" {
  description = "Name of the Secret, in this namespace, with the certificate and key that the planes share."
  type        = string
  default     = "kong-cluster-cert"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", var.cluster_certificate_secret))
    error_message = "The name is a Kubernetes object name: lower-case letters, digits, hyphens and dots."
  }
}

variable "cluster_certificate_checksum" {
  description = "Checksum of that certificate: a change restarts the pods."
  type        = string
  default     = ""
  nullable    = false
}

variable "license" {
  description = "Kong's enterprise licence (JSON). Null: the free mode."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.license == null || can(jsondecode(var.license))
    error_message = "The licence is a JSON document."
  }
}

variable "autoscaling" {
  description = "The autoscaler: fewest and most pods, and the average CPU use, in percent of the request, that it aims at."
  type = object({
    min_replicas           = optional(number, 1)
    max_replicas           = optional(number, 20)
    target_cpu_utilization = optional(number, 75)
  })
  default  = {}
  nullable = false

  validation {
    condition     = 1 <= var.autoscaling.min_replicas && var.autoscaling.min_replicas <= var.autoscaling.max_replicas
    error_message = "The replicas must satisfy 1 <= min_replicas <= max_replicas."
  }

  validation {
    condition     = 1 <= var.autoscaling.target_cpu_utilization && var.autoscaling.target_cpu_utilization <= 100
    error_message = "The target is 1 to 100 percent."
  }
}

variable "max_unavailable" {
  description = "Pods that a voluntary disruption, such as draining a node, may take away at a time: a number or a percentage."
  type        = string
  default     = "1"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]?%?$|^100%?$", var.max_unavailable))
    error_message = "A number from 1 or a percentage such as 25%. Zero would keep every node from being drained."
  }
}

variable "proxy_annotations" {
  description = "Annotations of the proxy's Service: they choose the kind of load balancer."
  type        = map(string)
  default     = { "service.beta.kubernetes.io/aws-load-balancer-type" = "nlb" }
  nullable    = false
}

variable "proxy_source_ranges" {
  description = "IPv4 ranges that the proxy's load balancer lets in. Empty: all."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.proxy_source_ranges : can(cidrnetmask(cidr))])
    error_message = "Each range is an IPv4 CIDR block such as 203.0.113.0/24."
  }
}

variable "resources" {
  description = "What a pod requests of a node and may use at most, as Kubernetes quantities."
  type = object({
    cpu_request    = optional(string, "500m")
    memory_request = optional(string, "1Gi")
    memory_limit   = optional(string, "2Gi")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[0-9]+m?$", var.resources.cpu_request))
    error_message = "The CPU request is in cores or millicores, such as 1 or 500m."
  }

  validation {
    condition     = alltrue([for quantity in [var.resources.memory_request, var.resources.memory_limit] : can(regex("^[1-9][0-9]*(Mi|Gi)$", quantity))])
    error_message = "Memory is in Mi or Gi, such as 512Mi."
  }
}

variable "extra_environment" {
  description = "More of Kong's settings, as environment variables that start with KONG_. They win over the module's own. Secrets do not belong here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.extra_environment) : can(regex("^KONG_[A-Z0-9_]+$", name)) && !contains(["KONG_DATABASE", "KONG_ROLE", "KONG_LICENSE_DATA"], name)])
    error_message = "Names start with KONG_; a data plane has no database, and the licence comes from a Secret."
  }
}

variable "wait_for_rollout" {
  description = "Whether to wait until the pods are ready."
  type        = bool
  default     = true
  nullable    = false
}

variable "wait_for_load_balancer" {
  description = "Whether to wait for the hostname of the proxy's load balancer."
  type        = bool
  default     = true
  nullable    = false
}
