variable "a" { default = 1 }
output "a" { value = var.a }
locals { b = 2 }
output "b" { value = local.b } # a comment
resource "terraform_data" "empty" {}
