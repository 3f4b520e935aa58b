variable "unknown_argument" {
  typ     = string
  Default = 1
}

variable "not_constant" {
  default     = var.unknown_argument
  description = "x${local.a}"
  sensitive   = var.unknown_argument
  nullable    = "maybe"
}

variable "quoted_bool" {
  sensitive = "true"
  nullable  = "false"
  ephemeral = true
  default   = 1
}

variable "null_bool" {
  sensitive = null
}

variable "number_as_text" {
  description = 5
  default     = true
}

variable "empty_deprecated" {
  type       = string
  deprecated = ""
}

variable "block" {
  type {}

  validations {}
}

variable "expression" {
  default = upper("a")
}

variable "labels" {
  validation "x" {
    condition     = var.labels == 1
    error_message = "No."
  }
}
