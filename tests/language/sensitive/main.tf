variable "password" {
  sensitive = true
  default   = "p"
}

locals {
  derived = upper(var.password)
  object  = { secret = var.password, open = "o" }
}

resource "terraform_data" "r" {
  input = local.object
}

module "m" {
  source = "./child"
  plain  = var.password
}

output "derived" {
  value     = local.derived
  sensitive = true
}

output "partly" {
  value     = terraform_data.r.input
  sensitive = true
}

output "open" {
  value = local.object.open
}

output "through_module" {
  value     = module.m.plain
  sensitive = true
}

output "condition" {
  value = nonsensitive(var.password == "p" ? 1 : 2)
}

output "is" {
  value = [issensitive(var.password), issensitive(local.object), issensitive(module.m.made)]
}
