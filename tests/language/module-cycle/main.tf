module "a" {
  source = "./child"
  in     = module.b.out
}

module "b" {
  source = "./child"
  in     = module.a.out
}

module "itself" {
  source = "./child"
  in     = module.itself.other
}
