variable "a" {
  default = 1

  validation {
    condition     = var.a < var.b
    error_message = "No."
  }
}

variable "b" {
  default = 2

  validation {
    condition     = var.b > var.a
    error_message = "No."
  }
}
