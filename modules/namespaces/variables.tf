variable "control_plane" {
  description = "Namespace of the control plane and of the in-cluster database."
  type        = string
  default     = "kong"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.control_plane))
    error_message = "A namespace is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "data_plane" {
  description = "Namespace of the data plane; not the control plane's."
  type        = string
  default     = "kong-dp"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.data_plane))
    error_message = "A namespace is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "pod_security_standard" {
  description = "Pod security standard that both namespaces enforce. Everything in these modules satisfies the strictest."
  type        = string
  default     = "restricted"
  nullable    = false

  validation {
    condition     = contains(["privileged", "baseline", "restricted"], var.pod_security_standard)
    error_message = "The standard is privileged, baseline or restricted."
  }
}

variable "labels" {
  description = "More labels for both namespaces."
  type        = map(string)
  default     = {}
  nullable    = false
}
