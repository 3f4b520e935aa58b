variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "The region is a name such as us-east-1."
  }
}

variable "name" {
  description = "Name of the cluster."
  type        = string
  default     = "K4K8S"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,49}$", var.name))
    error_message = "The name is 1 to 50 letters, digits, hyphens and underscores, and starts with a letter or a digit."
  }
}

variable "tags" {
  description = "Tags for every AWS object."
  type        = map(string)
  default     = { project = "kong-hybrid" }
  nullable    = false
}

# Network and cluster: see the eks module for what each default means.

variable "kubernetes_version" {
  description = "Kubernetes minor version of the cluster."
  type        = string
  default     = "1.33"
  nullable    = false

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "The version is a minor version such as 1.33."
  }
}

variable "vpc_cidr" {
  description = "IPv4 range of the VPC."
  type        = string
  default     = "192.168.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 3, 7))
    error_message = "The range is an IPv4 CIDR block such as 192.168.0.0/16."
  }
}

variable "availability_zone_count" {
  description = "Number of availability zones to span."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([2, 3], var.availability_zone_count)
    error_message = "The cluster spans 2 or 3 availability zones."
  }
}

variable "nat_gateway_per_zone" {
  description = "Whether every zone gets a NAT gateway of its own."
  type        = bool
  default     = false
  nullable    = false
}

variable "endpoint_public_access_cidrs" {
  description = "IPv4 ranges from which the cluster's API answers: at least the one this runs from."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.endpoint_public_access_cidrs) > 0 && alltrue([for cidr in var.endpoint_public_access_cidrs : can(cidrnetmask(cidr))])
    error_message = "Give at least one range, each an IPv4 CIDR block such as 203.0.113.0/24."
  }
}

variable "node_group" {
  description = "The managed node group: instance types, ON_DEMAND or SPOT, disk size in GiB, and how many nodes at least, at first and at most."
  type = object({
    instance_types = optional(list(string), ["m5.xlarge"])
    capacity_type  = optional(string, "ON_DEMAND")
    disk_size      = optional(number, 50)
    min_size       = optional(number, 1)
    desired_size   = optional(number, 1)
    max_size       = optional(number, 3)
  })
  default  = {}
  nullable = false
}

# Kong.

variable "control_plane_namespace" {
  description = "Namespace of the control plane and of the in-cluster database."
  type        = string
  default     = "kong"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.control_plane_namespace))
    error_message = "A namespace is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "data_plane_namespace" {
  description = "Namespace of the data plane."
  type        = string
  default     = "kong-dp"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.data_plane_namespace))
    error_message = "A namespace is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "kong_image" {
  description = "Kong's image, by repository and tag. Another tag is an upgrade: the migrations run again, then the control plane is replaced, then the data plane."
  type = object({
    repository = optional(string, "docker.io/kong/kong-gateway")
    tag        = optional(string, "3.9.1.2")
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^3\\.[0-9]+", var.kong_image.tag))
    error_message = "The tag is that of a Kong 3 release, such as 3.9.1.2."
  }
}

variable "license" {
  description = "Kong's enterprise licence (JSON). Null: the free mode, which Kong has up to 3.9."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.license == null || can(jsondecode(var.license))
    error_message = "The licence is a JSON document."
  }
}

variable "database_type" {
  description = "\"in-cluster\" (for labs) or \"rds\" (for production)."
  type        = string
  default     = "in-cluster"
  nullable    = false

  validation {
    condition     = contains(["in-cluster", "rds"], var.database_type)
    error_message = "The type is in-cluster or rds."
  }
}

variable "rds" {
  description = "The RDS instance, with database_type = \"rds\": see the database module."
  type = object({
    engine_version          = optional(string, "16")
    instance_class          = optional(string, "db.t4g.medium")
    allocated_storage       = optional(number, 20)
    max_allocated_storage   = optional(number, 100)
    multi_az                = optional(bool, true)
    backup_retention_period = optional(number, 7)
    deletion_protection     = optional(bool, true)
    skip_final_snapshot     = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "admin_exposure" {
  description = "How Admin API and Kong Manager are reached: \"cluster\" (kubectl port-forward) or \"internal\" (load balancers inside the VPC)."
  type        = string
  default     = "cluster"
  nullable    = false

  validation {
    condition     = contains(["cluster", "internal"], var.admin_exposure)
    error_message = "The exposure is cluster or internal."
  }
}

variable "control_plane_replicas" {
  description = "Number of control plane pods."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.control_plane_replicas >= 1 && floor(var.control_plane_replicas) == var.control_plane_replicas
    error_message = "The control plane has a whole number of replicas, 1 at least."
  }
}

variable "data_plane_autoscaling" {
  description = "The data plane's autoscaler: fewest and most pods, and the average CPU use, in percent of the request, that it aims at."
  type = object({
    min_replicas           = optional(number, 1)
    max_replicas           = optional(number, 20)
    target_cpu_utilization = optional(number, 75)
  })
  default  = {}
  nullable = false
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
