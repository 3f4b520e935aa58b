variable "a" {}

variable "b" {}

output "sum" {
  value = var.a + var.b
}
