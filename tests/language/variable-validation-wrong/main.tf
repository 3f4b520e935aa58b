variable "no_reference" {
  validation {
    condition     = true
    error_message = "No."
  }
}

variable "other_only" {
  validation {
    condition     = var.no_reference == 1
    error_message = "No."
  }
}

variable "missing" {
  validation {
    error_message = "No."
  }

  validation {
    condition = var.missing == 1
  }

  validation {}
}

variable "unknown_argument" {
  validation {
    condition     = var.unknown_argument == 1
    error_message = "No."
    message       = "No."
  }
}

variable "self_object" {
  validation {
    condition     = self.x == var.self_object
    error_message = "No."
  }
}
