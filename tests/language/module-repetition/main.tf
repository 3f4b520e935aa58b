module "count" {
  source = "./child"
  count  = 2
  name   = "c${count.index}"
}

module "for_each" {
  source   = "./child"
  for_each = { a = "x", b = "y" }
  name     = "${each.key}-${each.value}"
}

module "enabled" {
  source = "./child"
  name   = "e"

  lifecycle {
    enabled = false
  }
}

module "set" {
  source   = "./child"
  for_each = toset(["k"])
  name     = each.value
}

output "values" {
  value = {
    splat    = module.count[*].name
    index    = module.count[1].name
    each     = { for k, m in module.for_each : k => m.name }
    key      = module.for_each["b"].name
    nothing  = module.count[*].missing_when_null
    whole    = module.set
    values   = values(module.for_each)[*].name
    length   = length(module.count)
    nested   = module.set["k"].nested.deep[0]
    variable = module.count[length(module.count) - 1].name
  }
}
