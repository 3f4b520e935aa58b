variable "password" {
  sensitive = true
  default   = "short"

  validation {
    condition     = length(var.password) > 2
    error_message = "The password ${var.password} is too short."
  }
}

output "length" {
  value = nonsensitive(length(var.password))
}
