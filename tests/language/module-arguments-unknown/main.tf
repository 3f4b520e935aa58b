module "m" {
  source = "./child"
  nmae   = "x"
}
