module "again" {
  source = "./."
}
