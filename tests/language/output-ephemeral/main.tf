variable "token" {
  ephemeral = true
  default   = "t"
}

output "leak" {
  value = var.token
}

output "root" {
  value     = var.token
  ephemeral = true
}

module "child" {
  source = "./child"
  token  = var.token
}

module "not_ephemeral" {
  source = "./child"
  plain  = var.token
  token  = "x"
}

resource "terraform_data" "a" {
  input = module.child.token
}
