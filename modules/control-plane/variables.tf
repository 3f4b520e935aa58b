variable "namespace" {
  description = "Namespace of the control plane."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "data_plane_namespaces" {
  description = "Namespaces whose pods may fetch configuration and report telemetry."
  type        = list(string)
  default     = ["kong-dp"]
  nullable    = false

  validation {
    condition     = length(var.data_plane_namespaces) > 0
    error_message = "Give at least one namespace, or no data plane gets its configuration."
  }
}

variable "instance" {
  description = "Prefix of the names of the control plane's objects: \"kong\" names them kong-kong, kong-kong-admin and so on."
  type        = string
  default     = "kong"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$", var.instance))
    error_message = "The prefix is 1 to 30 lower-case letters, digits and hyphens, and starts with a letter."
  }
}

variable "image" {
  description = "Kong's image. Another image runs the migrations again before the control plane is replaced."
  type        = string
  default     = "docker.io/kong/kong-gateway:3.9.1.2"
  nullable    = false

  validation {
    condition     = can(regex("(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image)) && !can(regex(":latest$", var.image))
    error_message = "The image names a tag or a digest, and not latest: an upgrade is a step that migrates the database."
  }
}

variable "database_client_image" {
  description = "Image with pg_isready, with which the migrations wait for the database."
  type        = string
  default     = "docker.io/library/postgres:16-bookworm"
  nullable    = false
}

variable "replicas" {
  description = "Number of control plane pods."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.replicas >= 1 && floor(var.replicas) == var.replicas
    error_message = "The control plane has a whole number of replicas, 1 at least."
  }
}

variable "database" {
  description = "How to reach the database: the output connection of the database module."
  type = object({
    host            = string
    port            = number
    name            = string
    user            = string
    ssl             = bool
    password_secret = string
    password_key    = string
  })
  nullable = false
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

variable "exposure" {
  description = "How the Admin API and Kong Manager are reached: \"cluster\" (ClusterIP; kubectl port-forward) or \"internal\" (a load balancer with addresses of the VPC only). An Admin API on the internet is a hole, so there is no third."
  type        = string
  default     = "cluster"
  nullable    = false

  validation {
    condition     = contains(["cluster", "internal"], var.exposure)
    error_message = "The exposure is cluster or internal."
  }
}

variable "load_balancer_source_ranges" {
  description = "IPv4 ranges that the internal load balancers let in. Empty: all that reach them."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.load_balancer_source_ranges : can(cidrnetmask(cidr))])
    error_message = "Each range is an IPv4 CIDR block such as 192.168.0.0/16."
  }
}

variable "admin_gui_api_url" {
  description = "URL at which a browser with Kong Manager finds the Admin API. Null: the load balancer's hostname, or, without one, what Kong Manager guesses (right for a port-forward of both)."
  type        = string
  default     = null

  validation {
    condition     = var.admin_gui_api_url == null || can(regex("^https?://[^/]+", var.admin_gui_api_url))
    error_message = "The URL starts with http:// or https:// and a host."
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
    condition     = alltrue([for name in keys(var.extra_environment) : can(regex("^KONG_[A-Z0-9_]+$", name)) && !contains(["KONG_PG_PASSWORD", "KONG_LICENSE_DATA"], name)])
    error_message = "Names start with KONG_; the password and the licence come from Secrets."
  }
}

variable "wait_for_rollout" {
  description = "Whether to wait until the migrations have run and the pods are ready."
  type        = bool
  default     = true
  nullable    = false
}

variable "wait_for_load_balancer" {
  description = "Whether to wait for the internal load balancers' hostnames."
  type        = bool
  default     = true
  nullable    = false
}
