output "first" {
  value = var.missing
}
