variable "v" {
  default = 1

  validation {
    condition     = var.v > 0
    error_message = "No."
  }
}

output "o" {
  value = var.v
}

resource "terraform_data" "r" {}
