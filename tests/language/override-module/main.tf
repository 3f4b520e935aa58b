module "m" {
  source = "./missing"
  a      = 1
  b      = 2
}

output "sum" {
  value = module.m[*].sum
}
