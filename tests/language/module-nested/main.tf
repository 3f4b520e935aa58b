module "outer" {
  source = "./outer"
  names  = ["x", "y"]
}

output "values" {
  value = module.outer.values
}
