variable "type" {
  description = "Where the database runs: \"in-cluster\" (a StatefulSet, for labs) or \"rds\" (Amazon RDS for PostgreSQL, for production)."
  type        = string
  default     = "in-cluster"
  nullable    = false

  validation {
    condition     = contains(["in-cluster", "rds"], var.type)
    error_message = "The type is in-cluster or rds."
  }
}

variable "namespace" {
  description = "The control plane's namespace: it gets the password's Secret, and the in-cluster database."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "name" {
  description = "Name of the database's objects."
  type        = string
  default     = "kong-postgresql"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9]){0,49}$", var.name)) && length(var.name) <= 50
    error_message = "The name is at most 50 lower-case letters, digits and single hyphens, and starts with a letter: it serves Kubernetes and RDS alike."
  }
}

variable "database_name" {
  description = "Name of the database inside the server."
  type        = string
  default     = "kong"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database_name))
    error_message = "The database's name is 1 to 63 lower-case letters, digits and underscores, and does not start with a digit."
  }
}

variable "user_name" {
  description = "Kong's user, who owns the database."
  type        = string
  default     = "kong"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.user_name)) && !contains(["postgres", "rdsadmin"], var.user_name)
    error_message = "The user's name is 1 to 63 lower-case letters, digits and underscores, does not start with a digit, and is not postgres or rdsadmin."
  }
}

variable "client_match_labels" {
  description = "Labels that every pod carries that may reach the in-cluster database."
  type        = map(string)
  default     = { "app.kubernetes.io/name" = "kong", "app.kubernetes.io/instance" = "kong" }
  nullable    = false

  validation {
    condition     = length(var.client_match_labels) > 0
    error_message = "No labels would let every pod of the namespace in."
  }
}

variable "client_components" {
  description = "Values of the label app.kubernetes.io/component of the pods that may reach the in-cluster database."
  type        = list(string)
  default     = ["control-plane", "migrations"]
  nullable    = false

  validation {
    condition     = length(var.client_components) > 0
    error_message = "Give at least one component."
  }
}

variable "in_cluster" {
  description = "The in-cluster database: its image, whether its data outlive the pod, the volume's size and storage class (null: an encrypted gp3 class of its own), what it requests, and whether to wait until it runs."
  type = object({
    image              = optional(string, "docker.io/library/postgres:16-bookworm")
    persistent         = optional(bool, true)
    storage_size       = optional(string, "8Gi")
    storage_class_name = optional(string)
    cpu_request        = optional(string, "250m")
    memory_request     = optional(string, "256Mi")
    memory_limit       = optional(string, "512Mi")
    wait_for_rollout   = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("[:@]", var.in_cluster.image)) && !can(regex(":latest$", var.in_cluster.image))
    error_message = "The image names a tag or a digest, and not latest: another major version cannot read the volume."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi|Ti)$", var.in_cluster.storage_size))
    error_message = "The size is a quantity such as 8Gi."
  }
}

variable "rds" {
  description = "The RDS instance: version, class, GiB at first and at most, standby in a second zone, days of backups, and what guards it against deletion."
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

  validation {
    condition     = can(regex("^1[3-7](\\.[0-9]+)?$", var.rds.engine_version))
    error_message = "Kong 3 works with PostgreSQL 13 to 17."
  }

  validation {
    condition     = startswith(var.rds.instance_class, "db.")
    error_message = "An RDS instance class starts with db."
  }

  validation {
    condition     = 20 <= var.rds.allocated_storage && var.rds.allocated_storage <= var.rds.max_allocated_storage
    error_message = "The storage must satisfy 20 <= allocated_storage <= max_allocated_storage."
  }

  validation {
    condition     = 0 <= var.rds.backup_retention_period && var.rds.backup_retention_period <= 35
    error_message = "RDS keeps backups for 0 to 35 days."
  }
}

variable "network" {
  description = "Where the RDS instance stands: the VPC, its private subnets in two zones at least, and the security group of the nodes that may connect. Not used in-cluster."
  type = object({
    vpc_id                   = string
    subnet_ids               = list(string)
    client_security_group_id = string
  })
  default = null
}

variable "tags" {
  description = "Tags for the AWS objects."
  type        = map(string)
  default     = {}
  nullable    = false
}
