variable "names" {
  type = set(string)
}

module "inner" {
  source   = "../inner"
  for_each = var.names
  name     = each.key
}

output "values" {
  value = { for k, m in module.inner : k => m.greeting }
}
