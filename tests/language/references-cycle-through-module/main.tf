module "m" {
  source = "./child"
  in     = local.a
}

locals {
  a = module.m.out
  b = module.m.fine
}

module "fine" {
  source = "./child"
  in     = module.fine.fine
}
