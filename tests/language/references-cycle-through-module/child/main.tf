variable "in" {}

output "out" {
  value = var.in
}

output "fine" {
  value = 1
}
