variable "name" {}

output "name" {
  value = var.name
}

output "missing_when_null" {
  value = null
}

output "nested" {
  value = { deep = [var.name] }
}
