variable "n" {
  default = 2
}

output "n" {
  value = var.n

  precondition {
    condition     = var.n > 1
    error_message = "n is ${var.n}."
  }

  precondition {
    condition     = local.even
    error_message = "Odd."
  }
}

locals {
  even = var.n % 2 == 0
}
