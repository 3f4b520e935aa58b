variable "limit" {
  default = 10
}

variable "size" {
  type    = number
  default = 5

  validation {
    condition     = var.size > 0
    error_message = "Must be positive."
  }

  validation {
    condition     = var.size <= var.limit && length(local.names) == 2
    error_message = "At most ${var.limit}, not ${var.size}."
  }
}

locals {
  names = ["a", "b"]
}

output "size" {
  value = var.size
}
