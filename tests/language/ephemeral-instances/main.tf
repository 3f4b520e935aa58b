variable "token" {
  ephemeral = true
  default   = "t"
}

resource "terraform_data" "counted" {
  count = length(var.token)
}

resource "terraform_data" "keyed" {
  for_each = toset([var.token])
}

module "m" {
  source = "./child"
  count  = length(var.token)
}

output "root" {
  value     = var.token
  ephemeral = true
}
