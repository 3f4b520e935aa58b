variable bare {
  default = "a"
}

resource terraform_data "half" {
  input = var.bare
}

output "half" {
  value = terraform_data.half.input
}

variable "inter${1}polated" {}
