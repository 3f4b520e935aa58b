variable "namespaces" {
  description = "Namespaces that get the certificate, by a name of the caller's choice: the control plane's and every data plane's."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.namespaces) > 0
    error_message = "Give at least one namespace."
  }
}

variable "secret_name" {
  description = "Name of the Secret, the same in every namespace."
  type        = string
  default     = "kong-cluster-cert"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", var.secret_name))
    error_message = "The name is a Kubernetes object name: lower-case letters, digits, hyphens and dots."
  }
}

variable "common_name" {
  description = "Subject of the certificate. Data planes ask the control plane for kong_clustering in shared mode, so another name works only with another Kong."
  type        = string
  default     = "kong_clustering"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,64}$", var.common_name))
    error_message = "The common name is 1 to 64 letters, digits, dots, hyphens and underscores."
  }
}

variable "validity_days" {
  description = "Days the certificate is valid."
  type        = number
  default     = 1095
  nullable    = false

  validation {
    condition     = var.validity_days >= 1 && floor(var.validity_days) == var.validity_days
    error_message = "The validity is a whole number of days, 1 at least."
  }
}

variable "early_renewal_days" {
  description = "Days before its end in which a run replaces the certificate."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.early_renewal_days >= 0 && floor(var.early_renewal_days) == var.early_renewal_days
    error_message = "The renewal period is a whole number of days, 0 or more."
  }
}

variable "labels" {
  description = "Labels for the Secrets."
  type        = map(string)
  default     = {}
  nullable    = false
}
