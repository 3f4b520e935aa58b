module "a" {
  source = "./child"
}

module "b" {
  source = "./child"
}
