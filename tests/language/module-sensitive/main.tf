module "m" {
  source = "./child"
}

output "leak" {
  value = module.m.secret
}

output "whole_leak" {
  value = module.m
}

output "fine" {
  value = module.m.open
}
