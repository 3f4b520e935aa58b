module "n" { source = "./m" }
moved {
  from = module.m
  to   = module.n
}
