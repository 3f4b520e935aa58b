module "counted" {
  source = "./child"
  count  = 2
}

module "keyed" {
  source   = "./child"
  for_each = toset(["a"])
}

module "single" {
  source = "./child"
}

output "without_index" {
  value = module.counted.name
}

output "without_key" {
  value = module.keyed.name
}

output "index_of_single" {
  value = module.single[0].name
}

output "text_index" {
  value = module.counted["a"].name
}

output "beyond" {
  value = module.counted[2].name
}

output "unknown_key" {
  value = module.keyed["b"].name
}
