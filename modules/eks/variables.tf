variable "name" {
  description = "Name of the cluster; also the prefix of the names of the network's and the roles' objects."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,49}$", var.name))
    error_message = "The name is 1 to 50 letters, digits, hyphens and underscores, and starts with a letter or a digit."
  }
}

variable "kubernetes_version" {
  description = "Kubernetes minor version of the control plane and of the nodes."
  type        = string
  default     = "1.33"
  nullable    = false

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "The version is a minor version such as 1.33."
  }
}

variable "vpc_cidr" {
  description = "IPv4 range of the VPC. It is cut into eight equal subnets: the first three are public, the next three private."
  type        = string
  default     = "192.168.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 3, 7)) && can(regex("/(1[6-9]|2[0-4])$", var.vpc_cidr))
    error_message = "The range is an IPv4 CIDR block with a prefix length of 16 to 24."
  }
}

variable "availability_zone_count" {
  description = "Number of availability zones to span. EKS asks for two at least."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([2, 3], var.availability_zone_count)
    error_message = "The cluster spans 2 or 3 availability zones."
  }
}

variable "nat_gateway_per_zone" {
  description = "Whether every zone gets a NAT gateway of its own (survives the loss of a zone) or all share the first zone's (cheaper)."
  type        = bool
  default     = false
  nullable    = false
}

variable "endpoint_public_access" {
  description = "Whether the cluster's API can be reached from outside the VPC. The private endpoint is always on."
  type        = bool
  default     = true
  nullable    = false
}

variable "endpoint_public_access_cidrs" {
  description = "IPv4 ranges from which the public endpoint of the cluster's API answers."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.endpoint_public_access_cidrs) > 0 && alltrue([for cidr in var.endpoint_public_access_cidrs : can(cidrnetmask(cidr))])
    error_message = "Give at least one range, each an IPv4 CIDR block such as 203.0.113.0/24."
  }
}

variable "enabled_log_types" {
  description = "Control plane logs to send to CloudWatch."
  type        = set(string)
  default     = ["api", "audit", "authenticator"]
  nullable    = false

  validation {
    condition     = alltrue([for type in var.enabled_log_types : contains(["api", "audit", "authenticator", "controllerManager", "scheduler"], type)])
    error_message = "The log types are api, audit, authenticator, controllerManager and scheduler."
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

  validation {
    condition     = length(var.node_group.instance_types) > 0
    error_message = "Give at least one instance type."
  }

  validation {
    condition     = contains(["ON_DEMAND", "SPOT"], var.node_group.capacity_type)
    error_message = "The capacity type is ON_DEMAND or SPOT."
  }

  validation {
    condition     = var.node_group.disk_size >= 20
    error_message = "The nodes' system needs a disk of 20 GiB at least."
  }

  validation {
    condition = (
      0 <= var.node_group.min_size &&
      var.node_group.min_size <= var.node_group.desired_size &&
      var.node_group.desired_size <= var.node_group.max_size &&
      1 <= var.node_group.max_size
    )
    error_message = "The sizes must satisfy 0 <= min_size <= desired_size <= max_size, and max_size >= 1."
  }
}

variable "addon_versions" {
  description = "Versions of add-ons by name, such as { coredns = \"v1.11.4-eksbuild.2\" }. An add-on that is not named gets EKS's default for the cluster's version."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for addon in keys(var.addon_versions) : contains(["vpc-cni", "kube-proxy", "coredns", "metrics-server", "aws-ebs-csi-driver"], addon)])
    error_message = "The add-ons are vpc-cni, kube-proxy, coredns, metrics-server and aws-ebs-csi-driver."
  }
}

variable "tags" {
  description = "Tags for every AWS object of this module."
  type        = map(string)
  default     = {}
  nullable    = false
}
