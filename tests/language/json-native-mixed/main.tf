variable "a" {
  default = 1
}

output "sum" {
  value = local.b + var.a
}
