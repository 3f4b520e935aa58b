locals {
  name-with-dash = 1
  _underscore    = 2
  ünï            = 3
  null_value     = null
  count          = 4
  each           = 5
}

output "all" {
  value = [local.name-with-dash, local._underscore, local.ünï, local.null_value, local.count, local.each]
}
