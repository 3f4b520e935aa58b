module "m" {
  source = "./child"
}

module "counted" {
  source = "./child"
  count  = 1
}

output "unknown" {
  value = module.m.nam
}

output "unknown_of_instance" {
  value = module.counted[0].nam
}

output "unknown_module" {
  value = module.n.name
}

output "resource_inside" {
  value = module.m.terraform_data.a.id
}
