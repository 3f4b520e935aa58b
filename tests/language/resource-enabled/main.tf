variable "on" {
  type    = bool
  default = false
}

resource "terraform_data" "off" {
  input = "off"

  lifecycle {
    enabled = var.on
  }
}

resource "terraform_data" "on" {
  input = "on"

  lifecycle {
    enabled = !var.on
  }
}

output "values" {
  value = [try(terraform_data.off.input, "none"), terraform_data.on.input, terraform_data.off == null]
}
