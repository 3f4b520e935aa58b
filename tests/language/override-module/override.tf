module "m" {
  source = "./child"
  count  = 2
  b      = 3
}
