variable "size" {
  type    = number
  default = 1
}

locals {
  kept     = "kept"
  replaced = "base"
}

resource "terraform_data" "a" {
  input            = "base"
  triggers_replace = [var.size]

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [input]
  }
}

output "size" {
  value = var.size
}

output "all" {
  value = [local.kept, local.replaced, terraform_data.a.input]
}
