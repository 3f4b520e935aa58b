resource "terraform_data" "first" {
  input = "f"
}

module "m" {
  source     = "./child"
  depends_on = [terraform_data.first]
}

module "after" {
  source     = "./child"
  depends_on = [module.m, terraform_data.first]
}

output "name" {
  value      = module.after.name
  depends_on = [module.m]
}
