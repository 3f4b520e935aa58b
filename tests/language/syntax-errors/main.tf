variable "a" {
  type = string
  default
}

variable "b" {
  tpye = string
}

locals {
  x = [1, 2
  y = 3
}

output "c" {
  value = "unterminated
}

output "d" {
  value = local.gone +
}

resource "terraform_data" "e" {
  input = { a = 1 b = 2 }
}
