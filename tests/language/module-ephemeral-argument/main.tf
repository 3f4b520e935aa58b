variable "token" {
  ephemeral = true
  default   = "t"
}

module "m" {
  source = "./child"
  plain  = var.token
}
