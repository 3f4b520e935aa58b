variable "object" {
  type    = object({ name = string, list = list(object({ x = number })) })
  default = { name = "n", list = [] }
}

variable "any" {
  type    = any
  default = { a = 1 }
}

output "misspelt" {
  value = var.object.nam
}

output "deep" {
  value = [for i in var.object.list : i.y]
}

output "of_string" {
  value = var.object.name.first
}

output "index_of_object" {
  value = var.object["nope"]
}

output "any_is_unknown" {
  value = var.any.b
}
